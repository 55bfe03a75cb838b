import { SERIES } from './report-slots.js';

/**
 * Colours by name. `s0` and on are those of the types: told apart with each of the usual kinds of colour blindness, and
 * 3 : 1 or more against the surface; every text colour is 4.5 : 1 or more (WCAG 2.2 AA).
 */
export const LIGHT = {
  page: '#f4f5f8',
  surface: '#ffffff',
  ink: '#1b2028',
  muted: '#565e6c',
  line: '#dfe3ea',
  control: '#858c99',
  accent: '#1d5ca8',
  focus: '#1d5ca8',
  good: '#16643d',
  goodBack: '#e3f3ea',
  bad: '#9c2a14',
  badBack: '#fbe9e4',
  warn: '#77500a',
  warnBack: '#faf0d7',
  plain: '#454c59',
  plainBack: '#eceef3',
  rate: '#c2481f',
  s0: '#405395',
  s1: '#2c176f',
  s2: '#3f8ff0',
  s3: '#cf7b26',
  s4: '#89401c',
  s5: '#58081b',
  s6: '#757c88',
} as const;

export type Palette = Readonly<Record<keyof typeof LIGHT, string>>;

export const DARK: Palette = {
  page: '#11141a',
  surface: '#1a1e26',
  ink: '#e8ebf0',
  muted: '#a3abb8',
  line: '#2f3541',
  control: '#727b8a',
  accent: '#86baf5',
  focus: '#86baf5',
  good: '#86d6a9',
  goodBack: '#1c3328',
  bad: '#ffa78d',
  badBack: '#40231c',
  warn: '#ecc56f',
  warnBack: '#3a2f17',
  plain: '#c3c9d3',
  plainBack: '#2a303b',
  rate: '#f08a5d',
  s0: '#5f7bdb',
  s1: '#a9efe0',
  s2: '#5cb8ff',
  s3: '#cf8a1c',
  s4: '#b4542a',
  s5: '#f0cf3f',
  s6: '#8b93a1',
};

const variables = (palette: Palette) =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join('');

const seriesRules = SERIES.map((_, index) => `.s${index}{fill:var(--s${index})}`).join('\n');

/** The page's one style sheet. */
export const STYLE = `:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*,*::before,*::after{box-sizing:border-box}
[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:12px}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1200px;margin:0 auto;padding:36px 24px 64px;display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
main>*{grid-column:1/-1;min-width:0}
main>.half{grid-column:span 1}
h1{font-size:27px;line-height:1.25;letter-spacing:-.015em;margin:0 0 6px;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:17px;line-height:1.35;letter-spacing:-.005em;margin:0}
p{margin:0}
a{color:var(--accent)}
small{font-size:.86em;font-weight:400}
.note,.lead{color:var(--muted);max-width:76ch}
.note{font-size:14px;margin-top:2px}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
.card{background:var(--surface);border:1px solid var(--line);border-radius:14px;padding:20px 22px;margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0}
.tiles div{background:var(--surface);border:1px solid var(--line);border-radius:14px;padding:14px 16px;display:flex;flex-direction:column}
.tiles dt{color:var(--muted);font-size:13.5px}
.tiles dd{margin:0}
.tiles .big{font-size:25px;line-height:1.3;font-weight:650;letter-spacing:-.02em}
.tiles .small{color:var(--muted);font-size:13px}
.read dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:5px 22px;margin:10px 0 0}
.read dt{color:var(--muted)}
.read dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;overflow-y:hidden}
.plot{display:block;overflow:visible;width:100%;height:266px;padding:18px 6px 28px 56px;font-size:12px}
.roomless{display:none}
.plot text{fill:var(--muted)}
.plot .mark{text-anchor:end}
.plot .label,.plot .empty{text-anchor:middle}
.plot .empty{font-size:15px}
.grid{stroke:var(--line)}
.axis,.tick{stroke:var(--control)}
.hover{fill:var(--ink);fill-opacity:0}
.hover:hover{fill-opacity:.07}
.parted rect:not(.hover){stroke:var(--surface);stroke-width:1}
.line{fill:none;stroke:var(--rate);stroke-width:2;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
.area{fill:var(--rate);fill-opacity:.12}
.dot{fill:var(--rate);stroke:var(--surface);stroke-width:1.5}
${seriesRules}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:10px 0 0;padding:0;font-size:13px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:6px}
.swatch{width:12px;height:12px;flex:none}
details summary{cursor:pointer}
figure>details{margin-top:6px;font-size:14px}
figure>details>summary{color:var(--accent);width:max-content;max-width:100%}
figure>details>.scroll{max-height:340px;overflow-y:auto;margin-top:8px}
.data{border-collapse:collapse;font-size:13.5px}
.data th,.data td{padding:4px 12px 4px 0;text-align:right;border-bottom:1px solid var(--line);font-weight:400;white-space:nowrap}
.data thead th{color:var(--muted);font-size:12.5px}
.data th:first-child{text-align:left}
.data.wide{width:100%}
.messages{margin:12px 0 0;padding:0;list-style:none}
.messages li{display:grid;grid-template-columns:minmax(0,1fr) max-content;gap:1px 16px;padding:6px 0}
.messages .message{overflow-wrap:anywhere}
.messages .count{font-weight:600;text-align:right}
.bar{grid-column:1/-1;width:100%;height:6px;display:block}
.track{fill:var(--plainBack)}
.value{fill:var(--rate)}
#filters{display:flex;flex-wrap:wrap;gap:10px 14px;align-items:end;margin:14px 0 4px}
#filters label{display:grid;gap:3px;font-size:13px;color:var(--muted);min-width:0}
#filters .grow{flex:1 1 240px}
#filters .check{display:flex;align-items:center;gap:8px;min-height:38px;color:var(--ink);font-size:14px}
#filters .check input{width:17px;height:17px;margin:0;accent-color:var(--accent)}
input[type=search],select,.button{font:inherit;font-size:14px;color:var(--ink);background:var(--surface);border:1px solid var(--control);border-radius:8px;padding:7px 10px;min-height:38px;width:100%;max-width:100%}
#filters select{max-width:290px}
.button{width:auto;cursor:pointer}
.button:hover:not(:disabled){background:var(--plainBack)}
.button:disabled{color:var(--muted);border-color:var(--line);cursor:default}
.shown{color:var(--muted);font-size:14px;margin:10px 0 6px}
#activities{width:100%;border-collapse:collapse;table-layout:fixed;font-size:14px}
#activities th,#activities td{padding:8px 10px 8px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
#activities th{border-bottom:1px solid var(--control);font-weight:600;font-size:13px;overflow-wrap:normal}
#activities th:nth-child(1){width:20%}
#activities th:nth-child(2){width:20%}
#activities th:nth-child(3){width:11.5%}
#activities th:nth-child(4){width:13%}
#activities th:nth-child(5){width:9.5%}
#activities th:nth-child(6){width:8.5%}
#activities th:nth-child(7){width:6.5%}
#activities :is(th,td):is(:nth-child(5),:nth-child(6),:nth-child(7)){text-align:right}
#activities :is(th,td):nth-child(8){padding-left:14px;padding-right:0}
#activities td:nth-child(8){color:var(--muted);font-size:13px}
#activities tbody tr:hover{background:color-mix(in srgb,var(--plainBack) 45%,transparent)}
#activities tr[data-errors] td:nth-child(7){color:var(--bad);font-weight:600}
#activities th button{font:inherit;color:inherit;background:none;border:0;padding:0;margin:0;cursor:pointer;text-align:inherit}
#activities th button::after{content:"";display:inline-block;width:.6em;margin-left:.35em;text-align:center}
#activities th button:hover{text-decoration:underline;text-underline-offset:3px}
#activities th[aria-sort=ascending] button::after{content:"▴"}
#activities th[aria-sort=descending] button::after{content:"▾"}
#activities summary::marker{color:var(--control)}
#activities dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:1px 10px;margin:6px 0 2px;font-size:13px}
#activities dt{color:var(--muted)}
#activities dd{margin:0}
#activities ul{margin:6px 0 2px;padding-left:16px;font-size:13px;color:var(--bad)}
.pill{display:inline-block;font-size:12px;line-height:1.45;font-weight:600;padding:1px 8px;border-radius:8px;color:var(--plain);background:var(--plainBack)}
.pill.good{color:var(--good);background:var(--goodBack)}
.pill.bad{color:var(--bad);background:var(--badBack)}
.pill.warn{color:var(--warn);background:var(--warnBack)}
#none{padding:28px 0;text-align:center;color:var(--muted)}
#pager{display:flex;align-items:center;gap:14px;justify-content:center;margin-top:16px;font-size:14px}
footer{color:var(--muted);font-size:13px}
@media (max-width:900px){
main>.half{grid-column:1/-1}
}
@media (max-width:760px){
main{padding:22px 12px 40px;gap:12px}
h1{font-size:22px}
.card{padding:16px 14px;border-radius:12px}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}
.tiles div{padding:11px 12px;border-radius:12px}
.tiles .big{font-size:21px}
.plot{padding-left:44px}
.plot.m{width:640px}
.plot.l{width:820px}
.plot.s .roomy{display:none}
.read dl{grid-template-columns:minmax(0,1fr);gap:0}
.read dd{margin-bottom:7px}
#filters>*{flex:1 1 100%}
#filters select{max-width:none}
#filters .pick{flex:1 1 130px}
#filters .check{flex:1 1 auto}
#filters .button{flex:0 0 auto}
#activities,#activities thead,#activities tbody{display:block}
#activities thead tr{display:flex;flex-wrap:wrap;gap:6px}
#activities thead th,#activities thead th:nth-child(n){width:auto;border:0;padding:0;text-align:left}
#activities th button{border:1px solid var(--control);border-radius:8px;padding:5px 9px;min-height:32px;font-weight:500}
#activities th[aria-sort] button{background:var(--plainBack);border-color:var(--ink)}
#activities tbody tr{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:6px 12px;padding:12px 0;border-bottom:1px solid var(--line)}
#activities tbody td,#activities tbody td:nth-child(n){display:block;border:0;padding:0;text-align:left}
#activities td:nth-child(1),#activities td:nth-child(8){grid-column:1/-1}
#activities td:nth-child(1){font-weight:600}
#activities td:nth-child(1) details>:not(summary){font-weight:400}
#activities td:nth-child(2){grid-column:span 2}
#activities td:nth-child(3){justify-self:end;text-align:right}
#activities td:nth-child(4){grid-column:1/-1}
#activities tbody td:nth-child(n+4)::before{display:block;font-size:12px;font-weight:400;color:var(--muted)}
#activities td:nth-child(4)::before{content:"Created (UTC)"}
#activities td:nth-child(5)::before{content:"Run time"}
#activities td:nth-child(6)::before{content:"Contacts"}
#activities td:nth-child(7)::before{content:"Errors"}
#activities td:nth-child(8)::before{content:"Where"}
#activities td:nth-child(n+4):empty::after{content:"–"}
}
@media print{
:root{${variables(LIGHT)}--page:#ffffff;color-scheme:light}
body{font-size:11px}
main{padding:0;max-width:none}
.card,.tiles div{break-inside:avoid;border-color:#b8bec9}
#list{break-inside:auto;border:0;padding:0}
#filters,#pager,figure>details{display:none!important}
#activities tr{break-inside:avoid}
.s0,.s1,.s2,.s3,.s4,.s5,.s6,.pill,.track,.value,.area{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
