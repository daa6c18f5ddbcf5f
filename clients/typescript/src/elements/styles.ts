// One accent colour, system fonts, sizes in `em` of the surrounding text. Text has a contrast of at least 4.5 : 1, and
// the border of a field 3 : 1, in both schemes. The scheme is the page's (`color-scheme`), or the attribute `theme`.
// A page changes colours by the variables and everything else by parts.

const SHARED = `
:host {
  --ink: var(--topup-ink, light-dark(#1b211e, #e8ebe7)); --muted: var(--topup-muted, light-dark(#5b645e, #9ba69f));
  --line: var(--topup-line, light-dark(#dedace, #2c3430)); --field: var(--topup-field, light-dark(#878d83, #6f7b74));
  --surface: var(--topup-surface, light-dark(#fffefb, #191f1c));
  --soft: var(--topup-soft, light-dark(#f3f1ea, #212925));
  --accent: var(--topup-accent, light-dark(#0b6b4b, #6ccfa2));
  --on-accent: var(--topup-on-accent, light-dark(#fff, #06241a));
  --wash: var(--topup-wash, light-dark(#e5efe8, #172b23)); --alarm: var(--topup-alarm, light-dark(#a3311c, #f29a86));
  --radius: var(--topup-radius, .5em);
  display: block; color: var(--ink); line-height: 1.5; font-variant-numeric: tabular-nums; text-align: start;
  font-family: var(--topup-font, inherit);
}
:host([theme=dark]) { color-scheme: dark; }
:host([theme=light]) { color-scheme: light; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; }
button, input { font: inherit; color: inherit; font-variant-numeric: inherit; }
button { cursor: pointer; min-height: 2.75em; }
.quiet, [part~=link] {
  display: inline-block; padding: 0; border: 0; background: none; color: var(--accent);
  text-decoration: underline; text-underline-offset: .2em; line-height: 2.75;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .25em; }
.note { color: var(--muted); font-size: .875em; }
.note:empty { display: none; }
.alarm { color: var(--alarm); font-size: .875em; }
.ears { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
dl div { display: flex; flex-wrap: wrap; column-gap: 1em; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`;

export const METER = `${SHARED}
:host { position: relative; }
.top { display: flex; align-items: baseline; justify-content: space-between; gap: 1em; }
#label { color: var(--muted); font-weight: 500; }
.amount { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: .75em; overflow-wrap: anywhere; }
#balance { font-size: var(--topup-meter-size, 3em); font-weight: 600; letter-spacing: -.04em; line-height: 1.15; }
#balance:not([data-credits]) { color: var(--muted); font-weight: 300; }
#unit { color: var(--muted); }
#warning {
  margin-block: .25em; padding-inline-start: .75em; border-inline-start: 4px solid var(--alarm); color: var(--alarm);
  font-weight: 600;
}
#warning:empty { display: none; }
.bar {
  display: flex; height: .75em; margin-top: 1em; overflow: hidden; border-radius: .375em; background: var(--line);
}
.bar i { transition: width .2s linear; }
.a { background: var(--accent); }
.h { background: repeating-linear-gradient(-45deg, var(--accent) 0 3px, var(--wash) 3px 6px); }
.u { background: var(--field); }
:host([state=low]) .a, :host([state=empty]) .a { background: var(--alarm); }
dl { display: flex; flex-wrap: wrap; gap: .25em 2em; margin-top: .5em; font-size: .875em; }
dl div { column-gap: .5em; }
dt { color: var(--muted); }
dt::before {
  content: ""; display: inline-block; width: .75em; height: .75em; margin-inline-end: .4em; border-radius: .2em;
}
dt.da::before { background: var(--accent); }
:host([state=low]) dt.da::before, :host([state=empty]) dt.da::before { background: var(--alarm); }
dt.dh::before { background: repeating-linear-gradient(-45deg, var(--accent) 0 3px, var(--wash) 3px 6px); }
dt.du::before { background: var(--field); }
dd { font-weight: 600; }
:host([compact]) { display: inline-block; --topup-meter-size: 1em; }
:host([compact]) :is(.bar, dl, .note, #refresh, #label) { display: none; }
:host([compact]) .amount { column-gap: .35em; }
:host([compact]) #balance { letter-spacing: 0; }
`;

export const BUY = `${SHARED}
#status {
  margin-bottom: 1.25em; padding: .75em 1em; border-inline-start: 4px solid var(--muted); border-radius: .25em;
  background: var(--soft); scroll-margin: 1em;
}
#status:empty { position: absolute; margin: 0; padding: 0; border: 0; }
#status strong { display: block; }
#status[data-state=paid] { border-color: var(--accent); background: var(--wash); }
#status:is([data-state=error], [data-state=failed]) { border-color: var(--alarm); }
#status:is([data-state=error], [data-state=failed]) strong { color: var(--alarm); }
#status:is([data-state=open], [data-state=processing]) { border-color: var(--accent); animation: breathe 2s infinite; }
@keyframes breathe { 50% { border-color: transparent; } }
fieldset { min-width: 0; padding: 0; border: 0; }
.quick { display: grid; grid-template-columns: repeat(auto-fit, minmax(4.5em, 1fr)); gap: .5em; margin-bottom: 1.25em; }
.quick button { border: 1px solid var(--field); border-radius: var(--radius); background: none; }
.quick button:hover { border-color: var(--accent); }
.quick button[aria-pressed=true] {
  border-color: var(--accent); background: var(--wash); color: var(--accent); font-weight: 600;
}
label { display: block; margin-bottom: .375em; font-size: .875em; color: var(--muted); }
input {
  width: 100%; min-height: 2.5em; padding: 0 .65em; border: 1px solid var(--field); border-radius: var(--radius);
  background: var(--surface); font-size: 1.375em; font-weight: 600;
}
input:focus-visible { outline-offset: 0; border-radius: var(--radius); }
input[aria-invalid=true] { border-color: var(--alarm); }
#quote-problem:not(:empty) { margin-top: .5em; }
#quote-until { margin-block: -.5em 1em; }
#quote {
  margin-block: 1.25em; padding: .9em 1.1em; border-radius: var(--radius); background: var(--soft); font-size: .875em;
  line-height: 1.9;
}
#quote div { justify-content: space-between; }
#quote dd { margin-inline-start: auto; }
#quote .total {
  margin-top: .5em; padding-top: .5em; border-top: 1px dashed var(--field); font-size: 1.2em; font-weight: 700;
}
#quote[aria-busy=true] :is(#quote-credits, dd) { color: var(--muted); }
#buy {
  width: 100%; min-height: 3.25em; padding-inline: 1.25em; border: 0; border-radius: var(--radius);
  background: var(--accent); color: var(--on-accent); font-weight: 600;
}
#buy:hover { filter: brightness(1.08); }
#buy:disabled {
  background: var(--soft); box-shadow: inset 0 0 0 1px var(--line); color: var(--muted); filter: none;
  cursor: not-allowed;
}
fieldset:disabled :is(input, .quick button) { opacity: .6; }
fieldset:disabled button { cursor: progress; }
`;
