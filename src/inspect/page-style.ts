const LIGHT = `--page:#f4f5f8;--surface:#ffffff;--ink:#1b2028;--muted:#565e6c;--line:#dfe3ea;--control:#858c99;--accent:#1d5ca8;--onAccent:#ffffff;--good:#16643d;--goodBack:#e3f3ea;--bad:#9c2a14;--badBack:#fbe9e4;--warn:#77500a;--warnBack:#faf0d7;--busy:#1d5ca8;--busyBack:#e4eefa;--plain:#454c59;--plainBack:#eceef3`;
const DARK = `--page:#11141a;--surface:#1a1e26;--ink:#e8ebf0;--muted:#a3abb8;--line:#2f3541;--control:#727b8a;--accent:#86baf5;--onAccent:#10151d;--good:#86d6a9;--goodBack:#1c3328;--bad:#ffa78d;--badBack:#40231c;--warn:#ecc56f;--warnBack:#3a2f17;--busy:#9cc7f7;--busyBack:#1c2f47;--plain:#c3c9d3;--plainBack:#2a303b`;

/** Text on every ground is 4.5 : 1 or more, controls 3 : 1 (WCAG 2.2 AA). */
export const INSPECTOR_STYLE = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
header,main,footer{max-width:1200px;margin:0 auto;padding:0 24px}
header{padding-top:30px;display:flex;flex-wrap:wrap;gap:6px 20px;align-items:flex-start;justify-content:space-between}
main{padding-top:18px;padding-bottom:20px;display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px;align-items:stretch}
.card{background:var(--surface);border:1px solid var(--line);border-radius:14px;padding:18px 20px;min-width:0}
.card.wide,.card.alone{grid-column:1/-1}
.card.failure{color:var(--bad);background:var(--badBack);border-color:var(--bad)}
h1{font-size:26px;line-height:1.25;letter-spacing:-.015em;margin:0}
h2{font-size:17px;line-height:1.35;margin:0}
p{margin:0}
.lead,.note{color:var(--muted)}
.note{font-size:14px}
.link{font-size:13px;font-weight:600;padding:3px 11px;border-radius:999px;color:var(--plain);background:var(--plainBack);margin-top:4px}
.link[data-state=live]{color:var(--good);background:var(--goodBack)}
.link[data-state=lost]{color:var(--bad);background:var(--badBack)}
.link::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:currentColor;margin-right:7px}
.skip{position:absolute;left:-999px;top:8px;background:var(--surface);color:var(--accent);padding:8px 14px;border-radius:8px;border:1px solid var(--control);z-index:1}
.skip:focus{left:12px}
.hearing{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:6px}
.now{font-size:27px;font-weight:650;letter-spacing:-.02em;line-height:1.3;margin:6px 0 2px}
.now small{font-size:15px;font-weight:400;color:var(--muted);letter-spacing:0}
button,select{font:inherit;font-size:14px;color:var(--ink);background:var(--surface);border:1px solid var(--control);border-radius:8px;padding:6px 12px;min-height:36px;max-width:100%}
button{cursor:pointer}
button:hover{background:var(--plainBack)}
button[aria-pressed=true],button[type=submit]{background:var(--accent);border-color:var(--accent);color:var(--onAccent)}
button[aria-pressed=true]:hover,button[type=submit]:hover{filter:brightness(1.08)}
button.small{min-height:28px;padding:2px 9px;font-size:13px}
.buttons{display:flex;flex-wrap:wrap;gap:8px;margin-top:14px}
form{display:flex;flex-wrap:wrap;gap:10px;align-items:end;margin:10px 0 12px}
label{display:grid;gap:3px;font-size:13px;color:var(--muted);min-width:0}
label.grow{flex:1 1 100%}
label.grow select{width:100%}
label.inline{display:flex;align-items:center;gap:8px;max-width:100%}
label.inline select{min-width:0}
.bar{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;margin-bottom:8px}
.bar>:last-child:not(h2){margin-left:auto}
.plain{list-style:none;margin:0;padding:0}
#fault-list li{display:flex;gap:10px;align-items:center;justify-content:space-between;padding:7px 0;border-top:1px solid var(--line);font-size:14px}
table{width:100%;border-collapse:collapse;font-size:14px}
th,td{padding:8px 14px 8px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{overflow-wrap:normal}
th{font-size:13px;font-weight:600;color:var(--muted);border-bottom-color:var(--control)}
tbody tr:last-child>*{border-bottom:0}
tbody th{font-size:14px;color:var(--ink);font-weight:400;border-bottom-color:var(--line)}
td.number,#lists .mono,button{white-space:nowrap}
td.errors b{color:var(--bad)}
td.move{padding-right:0}
td.move div{display:flex;flex-wrap:wrap;gap:5px}
.type{font-weight:600;display:block}
.id,.mono{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.id{color:var(--muted)}
#activities .why{display:block;font-size:13px;color:var(--bad)}
#activities .why:empty{display:none}
#notices p+p{margin-top:5px}
.pill{display:inline-block;font-size:12.5px;line-height:1.5;font-weight:650;padding:1px 9px;border-radius:8px;color:var(--plain);background:var(--plainBack);white-space:nowrap}
.pill.good{color:var(--good);background:var(--goodBack)}
.pill.bad{color:var(--bad);background:var(--badBack)}
.pill.warn{color:var(--warn);background:var(--warnBack)}
.pill.busy{color:var(--busy);background:var(--busyBack)}
summary{cursor:pointer}
summary::marker{color:var(--control)}
details ul{margin:5px 0 0;padding-left:16px;font-size:13px;color:var(--bad)}
#requests>li{border-top:1px solid var(--line);padding:9px 0}
#requests>li:first-child{border-top:0}
#requests summary{display:grid;grid-template-columns:84px 56px minmax(0,1fr) max-content;gap:2px 12px;align-items:baseline;list-style:none}
#requests summary::-webkit-details-marker{display:none}
#requests .time{color:var(--muted);font-size:13px}
#requests .time::before{content:"▸" / "";display:inline-block;width:14px;color:var(--control)}
#requests details[open] .time::before{content:"▾" / ""}
#requests summary:hover .mono{text-decoration:underline;text-underline-offset:3px}
#requests .who{color:var(--muted);font-size:13px}
#requests .why{grid-column:3/-1;font-size:13.5px}
#requests .method{font-weight:650;font-size:13px}
#requests .made{grid-column:3/-1;font-size:13.5px;color:var(--muted)}
#requests .made.bad{color:var(--bad)}
#requests dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:8px 0 2px;padding:10px 12px;font-size:13px;background:var(--page);border-radius:10px}
#requests dt{color:var(--muted)}
#requests dd{margin:0;white-space:pre-wrap}
footer{padding-bottom:44px;color:var(--muted);font-size:13px;display:flex;flex-wrap:wrap;gap:10px 16px;align-items:center}
@media (max-width:860px){
.card{grid-column:1/-1}
}
@media (max-width:640px){
header,main,footer{padding-left:12px;padding-right:12px}
header{padding-top:20px}
main{gap:12px}
h1{font-size:22px}
.card{padding:15px 14px;border-radius:12px}
.now{font-size:23px}
form label{flex:1 1 130px}
form label.grow{flex-basis:100%}
form select{width:100%}
form button{flex:1 1 100%}
.buttons button{flex:1 1 auto}
#activities thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
#activities,#activities tbody{display:block}
#activities tbody tr{display:grid;grid-template-columns:minmax(0,1fr) max-content;gap:6px 18px;padding:11px 0;border-bottom:1px solid var(--line)}
#activities tbody tr:last-child{border-bottom:0}
#activities tbody :is(th,td){display:block;padding:0;border:0}
#activities tbody th{grid-column:1/-1}
#activities td:nth-child(2){grid-column:1/-1}
#activities :is(.errors,.move){grid-column:1/-1}
#activities .errors.none{display:none}
#activities .move:not(:has(button)){display:none}
#activities td[data-label]::before{content:attr(data-label);display:block;font-size:12px;color:var(--muted)}
#requests summary{grid-template-columns:max-content max-content minmax(0,1fr)}
#requests summary .pill{grid-row:1;grid-column:3;justify-self:end}
#requests summary :is(.path,.made,.why){grid-column:1/-1}
#requests dl{grid-template-columns:minmax(0,1fr);gap:0}
#requests dd{margin-bottom:6px}
}
@media (prefers-reduced-motion:no-preference){
tr.new,li.new{animation:arrive 1.2s ease-out}
@keyframes arrive{from{background:var(--busyBack)}to{background:transparent}}
}
`;
