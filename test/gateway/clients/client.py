# As the official Python client did it: no credentials until asked for them, cells quoted by %20, headings by +.
from __future__ import print_function
import sys
import time
import xml.dom.minidom as minidom

try:
    import urllib2
    from urllib import quote, quote_plus
except ImportError:
    import urllib.request as urllib2
    from urllib.parse import quote, quote_plus

base, user, password = sys.argv[1:4]
account = base + '/ws/customers/' + user
manager = urllib2.HTTPPasswordMgrWithDefaultRealm()
manager.add_password(None, base, 'key%' + user, password)
urllib2.install_opener(urllib2.build_opener(urllib2.HTTPBasicAuthHandler(manager)))


def call(url, body=None):
    headers = {'User-Agent': 'Basic Agent', 'Content-Type': 'text/xml'}
    if body is not None:
        body = body.encode('utf-8')
        headers['Content-Type'] = 'application/x-www-form-urlencoded'
    try:
        return urllib2.urlopen(urllib2.Request(url, body, headers)).read().decode('utf-8')
    except urllib2.HTTPError as error:
        print('refused', error.code, error.read().decode('utf-8').strip())
        return None


def value(document, name):
    found = document.getElementsByTagName(name)
    return found[0].firstChild.data if found and found[0].firstChild else ''


def run(body):
    answer = call(account + '/activities', body)
    if answer is None:
        return None
    link = value(minidom.parseString(answer.encode('utf-8')), 'id').split('/')[-1]
    for _ in range(2000):
        document = minidom.parseString(call(account + '/activities/' + link).encode('utf-8'))
        if value(document, 'Status') in ('COMPLETE', 'ERROR'):
            print('ended', value(document, 'Type'), value(document, 'Status'), value(document, 'TransactionCount'))
            for error in document.getElementsByTagName('Error'):
                print('error', value(error, 'LineNumber'), value(error, 'EmailAddress'), value(error, 'Message'))
            return document
        time.sleep(0.02)
    sys.exit(2)


def uri(number):
    return quote_plus('http://api.constantcontact.com/ws/customers/%s/lists/%s' % (user, number))


print('verified', call(account + '//') is not None)
rows = [['num1@example.com', 'Joe B'], ['num2@example.com', 'Jane']]
data = '%0A'.join([quote_plus('EMAIL ADDRESS,FIRST NAME')] + ['%2C'.join(quote(cell) for cell in row) for row in rows])
run('activityType=SV_ADD&data=' + data + '&lists=' + uri(1) + '&lists=' + uri(2))
run('activityType=CLEAR_CONTACTS_FROM_LISTS&lists=' + uri(5))
run('activityType=CLEAR_CONTACTS_FROM_LISTS&lists=' + uri('active'))
run('activityType=SV_ADD&data=First%20Name%0AAnn&lists=' + uri(1))
document = run('activityType=EXPORT_CONTACTS&fileType=TXT&exportOptDate=false&exportOptSource=true&exportListName=true'
               '&sortBy=EMAIL_ADDRESS&columns=First+Name&columns=Last+Name&listId=' + uri(1))
print(call(account + '/activities/' + value(document, 'FileName').split('/')[-1]))
