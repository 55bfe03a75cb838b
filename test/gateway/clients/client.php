<?php
// As the official PHP wrapper of 2012 did it: curl with headers set by hand, SimpleXML, and the third link for the next page.
[, $base, $user, $password] = $argv;

function call($url, $fields = null)
{
    global $user, $password;
    $curl = curl_init($url);
    curl_setopt($curl, CURLOPT_USERPWD, "key%$user:$password");
    curl_setopt($curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_setopt($curl, CURLOPT_USERAGENT, 'Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)');
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, 1);
    curl_setopt($curl, CURLOPT_FAILONERROR, 1);
    if ($fields === null) {
        $headers = ['Content-Type:application/atom+xml', 'Content-Length: 0', 'accept:application/atom+xml'];
    } else {
        $headers = is_array($fields)
            ? ['Content-Type:multipart/form-data']
            : ['Content-Type:application/x-www-form-urlencoded'];
        curl_setopt($curl, CURLOPT_POST, 1);
        curl_setopt($curl, CURLOPT_POSTFIELDS, $fields);
    }
    curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
    $answer = curl_exec($curl);
    if ($answer === false) {
        echo 'failed ', curl_getinfo($curl, CURLINFO_HTTP_CODE), "\n";
        exit(1);
    }
    return $answer;
}

function activity($xml)
{
    return $xml->content->children('http://ws.constantcontact.com/ns/1.0/')->Activity;
}

function wait($id)
{
    for ($tries = 0; $tries < 2000; $tries++) {
        $found = activity(simplexml_load_string(call($id)));
        if ($found->Status == 'COMPLETE' || $found->Status == 'ERROR') {
            return $found;
        }
        usleep(20000);
    }
    exit(2);
}

$account = "$base/ws/customers/$user";
echo 'account ', strlen(call("$account/")) > 0 ? 'ok' : 'empty', "\n";
$lists = simplexml_load_string(call("$account/lists"));
foreach ($lists->entry as $list) {
    echo 'list ', basename($list->id), ' ', $list->title, "\n";
}
$two = "http://api.constantcontact.com/ws/customers/$user/lists/2";
$data = "Email Address,First Name,Last Name\nwstest3@example.com, Zo\u{eb}, Test\nnot-an-address, Joan, Test";
$created = call("$account/activities", "activityType=SV_ADD&data=" . urlencode($data) . '&lists=' . urlencode($two));
$entry = simplexml_load_string($created);
echo 'created ', activity($entry)->Type, ' ', activity($entry)->Status, "\n";
$done = wait($account . '/activities/' . basename($entry->id));
echo 'ended ', $done->Status, ' ', $done->TransactionCount, "\n";
foreach ($done->Errors->Error as $error) {
    echo 'error ', $error->LineNumber, ' ', $error->EmailAddress, ' ', $error->Message, "\n";
}
$file = tempnam(sys_get_temp_dir(), 'up');
file_put_contents($file, "Email Address,City\nphp@example.com,Rome\n");
$fields = ['activityType' => 'SV_ADD', 'lists' => $two, 'dataFile' => new CURLFile($file, 'text/csv', 'up.csv')];
$entry = simplexml_load_string(call("$account/activities", $fields));
unlink($file);
echo 'ended ', wait($account . '/activities/' . basename($entry->id))->Status, "\n";
$export = 'activityType=EXPORT_CONTACTS&fileType=CSV&exportOptDate=false&exportOptSource=true&exportListName=false' .
    '&sortBy=EMAIL_ADDRESS&columns=FIRST%20NAME&columns=CITY&listId=' . urlencode($two);
$entry = simplexml_load_string(call("$account/activities", $export));
$done = wait($account . '/activities/' . basename($entry->id));
echo 'ended ', $done->Status, ' ', $done->TransactionCount, "\n";
echo call($account . '/activities/' . basename((string) $done->FileName));
$feed = simplexml_load_string(call("$account/activities"));
foreach ($feed->entry as $entry) {
    echo 'activity ', activity($entry)->Type, ' ', activity($entry)->Status, ' ', trim(activity($entry)->Errors), "\n";
}
echo 'third link ', $feed->link[2]['rel'], "\n";
