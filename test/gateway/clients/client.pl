# As Email::ConstantContact did it: LWP with its own headers, URLs in lower case, XML::Simple.
use strict;
use warnings;
use LWP::UserAgent;
use XML::Simple;
use URI::Escape;
use Time::HiRes qw(usleep);
binmode STDOUT, ':utf8';

my ($base, $user, $password) = @ARGV;
my $agent = LWP::UserAgent->new;
$agent->default_header(Authorization => 'Basic ' . encode("key%$user:$password"));
my $account = lc "$base/ws/customers/" . uri_escape($user);

sub encode { require MIME::Base64; return MIME::Base64::encode_base64($_[0], '') }

sub answer {
    my ($answer) = @_;
    die 'failed ', $answer->code, "\n" unless $answer->is_success;
    return $answer;
}

sub parse { return XMLin($_[0]->content, ForceArray => ['entry', 'Error'], KeyAttr => [], SuppressEmpty => '') }

sub get { return answer($agent->get(lc $_[0])) }

sub post {
    my $answer = answer($agent->post("$account/activities", $_[0]));
    print 'created ', $answer->code, ' ', $answer->header('Location') =~ m{/activities/[a-z0-9-]+$} ? 'located' : 'lost', "\n";
    return parse($answer)->{id};
}

sub ended {
    my ($id) = @_;
    my ($name) = $id =~ m{([^/]+)$};
    for (1 .. 2000) {
        my $found = parse(get("$account/activities/$name"))->{content}{Activity};
        return $found if $found->{Status} eq 'COMPLETE' || $found->{Status} eq 'ERROR';
        usleep 20_000;
    }
    exit 2;
}

for my $list (@{parse(get("$account/lists"))->{entry}}) {
    my $found = $list->{content}{ContactList};
    print "list $found->{Name} $found->{ShortName}\n";
}
my $two = "http://api.constantcontact.com/ws/customers/$user/lists/2";
my $id = post([activityType => 'ADD_CONTACTS', data => "Email Address,City\nperl\@example.com,Oslo\n,Nowhere\n", lists => $two]);
my $done = ended($id);
print "ended $done->{Status} $done->{TransactionCount}\n";
$done = ended(post([activityType => 'REMOVE_CONTACTS_FROM_LISTS', data => "Email Address\nold\@example.com\n", lists => $two]));
print "ended $done->{Status} $done->{TransactionCount}\n";
$done = ended(post([
    activityType => 'EXPORT_CONTACTS', fileType => 'TXT', exportListName => 'true', columns => 'CITY', listId => $two,
]));
my ($file) = $done->{FileName} =~ m{([^/]+)$};
print "ended $done->{Status} ", $file =~ /\.txt$/ ? 'text' : 'no text', "\n";
print get("$account/activities/$file")->decoded_content(charset => 'UTF-8');
