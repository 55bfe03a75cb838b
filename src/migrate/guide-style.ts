/** The one style sheet of a guide; every text colour is 4.5 : 1 or more against what it stands on, light and dark. */
export const STYLE = `:root{color-scheme:light dark;--page:#f4f5f8;--surface:#fff;--ink:#1b2028;--muted:#565e6c;--line:#dfe3ea;--focus:#1d5ca8;--high:#9c2a14;--high-back:#fbe9e4;--medium:#77500a;--medium-back:#faf0d7;--low:#16643d;--low-back:#e3f3ea}
@media (prefers-color-scheme:dark){:root{--page:#11141a;--surface:#1a1e26;--ink:#e8ebf0;--muted:#a3abb8;--line:#2f3541;--focus:#86baf5;--high:#ffa78d;--high-back:#40231c;--medium:#ecc56f;--medium-back:#3a2f17;--low:#86d6a9;--low-back:#1c3328}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;overflow-wrap:break-word}
main{max-width:900px;margin:0 auto;padding:40px 24px 72px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0 0 10px;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:21px;line-height:1.3;margin:44px 0 12px;padding-top:18px;border-top:1px solid var(--line)}
h3{font-size:17px;line-height:1.4;margin:30px 0 8px;overflow-wrap:anywhere}
p{margin:10px 0}
h1+p{color:var(--muted);font-size:17px}
ul{margin:8px 0 14px;padding-left:22px}
li{margin:4px 0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 14px;margin:10px 0}
dt{color:var(--muted);font-weight:600}
dd{margin:0}
code{font:.9em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
pre{background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:14px 16px;overflow-x:auto;margin:12px 0}
pre code{overflow-wrap:normal;white-space:pre;font-size:13.5px}
.scroll{overflow-x:auto;background:var(--surface);border:1px solid var(--line);border-radius:12px}
table{border-collapse:collapse;width:100%;font-size:14.5px}
th,td{text-align:left;vertical-align:top;padding:9px 12px;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{color:var(--muted);font-weight:600;white-space:nowrap}
td:nth-child(3){min-width:210px}
td:nth-child(5){min-width:150px}
td:nth-child(6){min-width:100px}
.risk{display:inline-block;font:600 13px/1.5 system-ui,sans-serif;border-radius:999px;padding:1px 10px;white-space:nowrap;vertical-align:1px}
.high{color:var(--high);background:var(--high-back)}
.medium{color:var(--medium);background:var(--medium-back)}
.low{color:var(--low);background:var(--low-back)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
@media (max-width:560px){main{padding:26px 16px 56px}h1{font-size:25px}dl{grid-template-columns:minmax(0,1fr);gap:2px}dd{margin-bottom:8px}}
@media print{body{background:#fff}pre code{white-space:pre-wrap}}
`;
