import { SHARED } from "./shared_styles.js";

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
.a, .da::before { background: var(--tone, var(--accent)); }
.h, .dh::before { background: repeating-linear-gradient(-45deg, var(--accent) 0 3px, var(--wash) 3px 6px); }
.u, .du::before { background: var(--field); }
:host(:is([state=low], [state=empty])) { --tone: var(--alarm); }
dl { display: flex; flex-wrap: wrap; gap: .25em 2em; margin-top: .5em; font-size: .875em; }
dl div { column-gap: .5em; }
dt { color: var(--muted); }
dt::before {
  content: ""; display: inline-block; width: .75em; height: .75em; margin-inline-end: .4em; border-radius: .2em;
}
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
@keyframes breathe { 50% { border-color: var(--line); } }
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
  margin-top: .5em; padding-top: .5em; border-top: 1px dashed var(--field); font-size: 1.2em; font-weight: 600;
}
#quote[aria-busy=true] :is(#quote-credits, dd) { color: var(--muted); }
#buy {
  width: 100%; min-height: 3.25em; padding-inline: 1.25em; border: 0; border-radius: var(--radius);
  background: var(--accent); color: var(--on-accent); font-weight: 600;
}
#buy:hover { opacity: .9; }
#buy:disabled {
  background: var(--soft); color: var(--muted);
  cursor: not-allowed;
}
fieldset:disabled :is(input, .quick button) { opacity: .6; }
fieldset:disabled button { cursor: progress; }
`;
