# As the gem built on HTTParty did it: the token in the query, user in lower case, the whole entry read from the 201 answer.
require 'net/http'
require 'uri'
require 'rexml/document'

base, user, token = ARGV
ACCOUNT = "#{base}/ws/customers/#{user.downcase}"
TOKEN = token
HEADERS = { 'Accept' => 'application/atom+xml', 'Content-Type' => 'application/atom+xml' }

def get(url)
  uri = URI(url)
  uri.query = [uri.query, "access_token=#{TOKEN}"].compact.join('&')
  Net::HTTP.start(uri.host, uri.port) { |http| http.get(uri.request_uri, HEADERS) }
end

def post(body)
  uri = URI("#{ACCOUNT}/activities?access_token=#{TOKEN}")
  headers = HEADERS.merge('Content-Type' => 'application/x-www-form-urlencoded')
  Net::HTTP.start(uri.host, uri.port) { |http| http.post(uri.request_uri, body, headers) }
end

def activity(xml)
  entry = REXML::Document.new(xml).root
  [entry.elements['id'].text.split('/').last, entry.elements['content/Activity']]
end

def text(activity, name)
  found = activity.elements[name]
  found.nil? ? 'absent' : found.texts.join.strip
end

def run(body)
  answer = post(body)
  puts "answer #{answer.code} #{answer['content-type']}"
  return puts(answer.body) unless answer.code == '201'

  id, created = activity(answer.body)
  puts "created #{text(created, 'Type')} #{text(created, 'Status')} #{text(created, 'RunStartTime')}"
  2000.times do
    _, found = activity(get("#{ACCOUNT}/activities/#{id}").body)
    return [id, found] if %w[COMPLETE ERROR].include?(text(found, 'Status'))

    sleep 0.02
  end
  exit 2
end

two = "http://api.constantcontact.com/ws/customers/#{user}/lists/2"
five = "http://api.constantcontact.com/ws/customers/#{user}/lists/5"
data = URI.encode_www_form_component("Email Address,First Name\nruby1@example.com,Rö\nruby2@example.com\ntwo@at@example.com,X\n")
_, done = run("activityType=ADD_CONTACTS&data=#{data}&lists=#{URI.encode_www_form_component("#{two}&lists=#{five}")}")
puts "ended #{text(done, 'Status')} #{text(done, 'TransactionCount')} errors #{text(done, 'Errors')}"
done.elements.each('Errors/Error') { |error| puts "error #{text(error, 'LineNumber')} #{text(error, 'EmailAddress')}" }
run("activityType=CLEAR_CONTACTS_FROM_LISTS&lists=#{URI.encode_www_form_component(two)}")
run('activityType=CLEAR_CONTACTS_FROM_LISTS&lists=99')
id, = run("activityType=EXPORT_CONTACTS&fileType=CSV&columns=FIRST%20NAME%26columns%3DLAST%20NAME&listId=#{URI.encode_www_form_component(five)}")
file = get("#{ACCOUNT}/activities/#{id}.csv")
puts "file #{file.code}", file.body.force_encoding('UTF-8')
puts get("#{ACCOUNT}/activities/a07e1zzzz").code
