import { PANEL } from "./panel_styles.js";

export const AUTO_TOPUP = `${PANEL}
fieldset { min-width: 0; margin-top: 1.25em; padding: 0; border: 0; }
fieldset > div { margin-bottom: 1em; }
label { display: block; margin-bottom: .375em; font-size: .875em; color: var(--muted); }
input, select {
  width: 100%; min-height: 2.75em; padding: 0 .65em; border: 1px solid var(--field); border-radius: var(--radius);
  background: var(--surface); color: inherit; font: inherit; font-weight: 600;
}
:is(input, select):focus-visible { outline-offset: 0; border-radius: var(--radius); }
[aria-invalid=true] { border-color: var(--alarm); outline-color: var(--alarm); }
.alarm:not(:empty) { margin-top: .375em; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(12em, 1fr)); gap: 1em; }
.consent { display: flex; gap: .75em; align-items: start; margin-bottom: .25em; }
.consent label { margin: 0; color: var(--ink); }
.consent input { flex: none; width: 1.5em; min-height: 1.5em; margin: 0; accent-color: var(--accent); }
details { margin-top: 1em; }
summary { width: fit-content; min-height: 2.75em; line-height: 2.75; color: var(--accent); cursor: pointer; }
li { padding-block: .5em; border-top: 1px solid var(--line); font-size: .9375em; }
li > span { display: block; }
`;
