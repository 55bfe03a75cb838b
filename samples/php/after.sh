curl -X POST 'https://api.constantcontact.com/v2/activities/addcontacts?api_key='"$CTCT_API_KEY" \
  -H "Authorization: Bearer $CTCT_ACCESS_TOKEN" \
  -H 'Accept: application/json' \
  -H 'Content-Type: application/json' \
  --data-binary '{
  "import_data": [
    {
      "email_addresses": ["fred@example.com"],
      "first_name": "Fred",
      "last_name": "Test"
    },
    {
      "email_addresses": ["joan@example.com"],
      "first_name": "Joan",
      "last_name": "Test"
    }
  ],
  "lists": ["2", "5"],
  "column_names": ["EMAIL", "FIRST NAME", "LAST NAME"]
}'
