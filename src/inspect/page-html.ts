/** The page as it is before its script has asked for anything. */
export const INSPECTOR_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Emulator</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<a class="skip" href="#activities-title">To the activities</a>
<header>
<div>
<h1 id="title">Emulator</h1>
<p class="lead" id="lead">Asking …</p>
</div>
<p class="link" id="link" role="status">Asking</p>
</header>
<main>
<p class="card wide failure" id="failure" role="alert" hidden></p>
<div class="card wide failure" id="notices" role="status" hidden></div>
<noscript><p class="card wide">This page needs its script, which is served beside it.</p></noscript>

<section class="card" id="clock" aria-labelledby="clock-title">
<h2 id="clock-title">Clock</h2>
<p class="now"><time id="now">–</time></p>
<p class="note" id="clock-note"></p>
<div class="buttons" id="clock-buttons" hidden>
<button type="button" data-advance="1m">+1 minute</button>
<button type="button" data-advance="5m">+5 minutes</button>
<button type="button" data-advance="1h">+1 hour</button>
<button type="button" id="freeze" aria-pressed="false">Freeze</button>
</div>
</section>

<section class="card" id="faults" aria-labelledby="faults-title" hidden>
<h2 id="faults-title">Faults</h2>
<form id="fault-form">
<label class="grow">What goes wrong<select id="fault-preset"></select></label>
<label>For<select id="fault-method"><option value="">all methods</option><option>GET</option><option>POST</option></select></label>
<label>How often<select id="fault-times"><option value="1">once</option><option value="3">3 times</option><option value="">always</option></select></label>
<button type="submit">Add fault</button>
</form>
<ul class="plain" id="fault-list" aria-label="Faults that stand"></ul>
<p class="note" id="fault-none">None: all requests are answered as they should be.</p>
</section>

<section class="card wide" aria-labelledby="activities-title">
<div class="bar">
<h2 id="activities-title" tabindex="-1">Activities</h2>
<label class="inline" id="account-label">Account<select id="account"></select></label>
</div>
<table id="activities" role="table" aria-labelledby="activities-title">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Activity</th><th scope="col" role="columnheader">Status</th><th scope="col" role="columnheader">Created (UTC)</th><th scope="col" role="columnheader">Contacts</th><th scope="col" role="columnheader">Errors</th><th scope="col" role="columnheader" id="move-heading">Move to</th></tr></thead>
<tbody role="rowgroup"></tbody>
</table>
<p class="note" id="activities-none">None yet: they come with the first POST to activities.</p>
</section>

<section class="card wide" aria-labelledby="requests-title">
<div class="bar">
<h2 id="requests-title">Requests</h2>
<span class="note" id="request-count"></span>
<button type="button" id="clear-requests" hidden>Clear</button>
</div>
<ol class="plain" id="requests" aria-labelledby="requests-title"></ol>
<p class="note" id="requests-none">None yet. Point a client here, and each of its requests is shown with what was made of it.</p>
</section>

<section class="card wide" id="lists-card" aria-labelledby="lists-title">
<div class="bar">
<h2 id="lists-title">Lists</h2>
</div>
<table id="lists" aria-labelledby="lists-title">
<thead><tr><th scope="col">List</th><th scope="col">Id</th><th scope="col">Contacts</th></tr></thead>
<tbody></tbody>
</table>
</section>
</main>
<footer id="footer">
<button type="button" id="reset" hidden>Reset everything</button>
<p>The page asks for news every second. Contacts in requests are made up, unless bodies are recorded.</p>
</footer>
<p class="hearing" id="news" role="log" aria-live="polite" aria-label="News"></p>
</body>
</html>
`;
