/** The one style sheet of a report; every text colour is 4.5 : 1 or more against what it stands on, light and dark. */
export const STYLE = `:root{color-scheme:light dark;--page:#f4f5f8;--surface:#fff;--ink:#1b2028;--muted:#565e6c;--line:#dfe3ea;--focus:#1d5ca8;--bad:#9c2a14;--bad-back:#fbe9e4;--open:#77500a;--open-back:#faf0d7;--good:#16643d;--good-back:#e3f3ea}
@media (prefers-color-scheme:dark){:root{--page:#11141a;--surface:#1a1e26;--ink:#e8ebf0;--muted:#a3abb8;--line:#2f3541;--focus:#86baf5;--bad:#ffa78d;--bad-back:#40231c;--open:#ecc56f;--open-back:#3a2f17;--good:#86d6a9;--good-back:#1c3328}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;overflow-wrap:break-word}
main{max-width:1280px;margin:0 auto;padding:40px 24px 72px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0 0 10px;text-wrap:balance}
h2{font-size:21px;line-height:1.3;margin:44px 0 12px}
h3{font-size:16px;line-height:1.4;margin:22px 0 8px}
p{margin:8px 0}
.lead{color:var(--muted);font-size:17px;max-width:74ch}
.note{color:var(--muted);font-size:14.5px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.tiles>div,.card{background:var(--surface);border:1px solid var(--line);border-radius:12px}
.tiles>div{padding:14px 16px}
dt{color:var(--muted);font-size:14px;font-weight:600}
dd{margin:0}
.big{font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.small{color:var(--muted);font-size:13.5px}
.card{margin:12px 0;padding:0 18px 16px}
.card>summary{cursor:pointer;padding:14px 0 12px;font-weight:650;font-size:18px;overflow-wrap:anywhere}
.card>summary .small{font-weight:400;margin-left:6px}
.card:not([open]){padding-bottom:0}
.scroll{overflow-x:auto;background:var(--surface);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:7px 10px;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
th{color:var(--muted);font-weight:600;white-space:nowrap}
.n{text-align:right}
.t{white-space:nowrap}
.w{min-width:110px;overflow-wrap:anywhere}
code{font:.93em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
.badge{display:inline-block;font:600 13px/1.5 system-ui,sans-serif;border-radius:999px;padding:1px 10px;white-space:nowrap;vertical-align:1px}
.bad{color:var(--bad);background:var(--bad-back)}
.open{color:var(--open);background:var(--open-back)}
.good{color:var(--good);background:var(--good-back)}
.why{border-left:3px solid var(--bad);padding-left:12px;overflow-wrap:anywhere}
details.more{margin:10px 0}
details.more>summary{cursor:pointer;color:var(--muted);font-size:14.5px}
footer{margin-top:40px;color:var(--muted);font-size:14px}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
@media (max-width:560px){main{padding:26px 16px 56px}h1{font-size:25px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.card{padding:0 14px 14px}.big{font-size:22px}}
@media print{body{background:#fff}.scroll{overflow:visible}}
`;
