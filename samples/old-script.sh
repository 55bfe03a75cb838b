#!/bin/sh
# A script of 2010. With a gateway before v2, only its host name changes:
#   npx ctct gateway --demo                               (prints its address and a login)
#   sh old-script.sh http://127.0.0.1:8080 'old-key%joesflowers:old-password'
set -eu
host=${1:-https://api.constantcontact.com}
login=$2
user=${login#*%}
user=${user%%:*}
activities=$host/ws/customers/$user/activities

id=$(curl -sS -u "$login" -o /dev/null -D - "$activities" \
  -d activityType=SV_ADD \
  -d "lists=http://api.constantcontact.com/ws/customers/$user/lists/2" \
  --data-urlencode 'data=Email Address,First Name
ann@example.com,Ann
bob@example.com,Bob' | tr -d '\r' | sed -n 's/^[Ll]ocation: .*\///p')

status=
while [ "$status" != COMPLETE ] && [ "$status" != ERROR ]; do
  sleep 1
  status=$(curl -sS -u "$login" "$activities/$id" | sed -n 's/.*<Status>\([A-Z]*\)<.*/\1/p')
done
echo "$id $status"
