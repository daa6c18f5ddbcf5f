import { SHARED } from "./shared_styles.js";

export const PANEL = `${SHARED}
.top { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25em 1em; }
#title { font-size: 1.125em; font-weight: 600; }
#state {
  padding: .1em .75em; border-radius: 1em; background: var(--soft); color: var(--muted); font-size: .875em;
  font-weight: 600;
}
#state:empty { display: none; }
:host([state=active]) #state { background: var(--wash); color: var(--accent); }
:host([state=paused]) #state { color: var(--alarm); }
#status {
  margin-top: 1em; padding: .75em 1em; border-inline-start: 4px solid var(--muted); border-radius: .25em;
  background: var(--soft); scroll-margin: 1em;
}
#status:empty { position: absolute; margin: 0; padding: 0; border: 0; }
#status strong { display: block; }
#status:is([data-state=news], [data-state=running]) { border-color: var(--accent); background: var(--wash); }
#status:is([data-state=error], [data-state=paused]) { border-color: var(--alarm); }
#status[data-state=error] strong { color: var(--alarm); }
dl { margin-top: 1em; font-size: .9375em; }
dl div { padding-block: .3em; }
dt { flex: 0 0 5.5em; color: var(--muted); }
dd { flex: 1 1 10em; }
.actions { display: flex; flex-wrap: wrap; gap: 0 1.5em; }
fieldset { min-width: 0; margin-top: 1.25em; padding: 0; border: 0; }
fieldset > div { margin-bottom: 1em; }
label { display: block; margin-bottom: .375em; font-size: .875em; color: var(--muted); }
input, select {
  width: 100%; min-height: 2.75em; padding: 0 .65em; border: 1px solid var(--field); border-radius: var(--radius);
  background: var(--surface); color: inherit; font: inherit; font-weight: 600; text-overflow: ellipsis;
}
:is(input, select):focus-visible { outline-offset: 0; border-radius: var(--radius); }
[aria-invalid=true] { border-color: var(--alarm); outline-color: var(--alarm); }
.alarm:not(:empty) { margin-top: .375em; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(12em, 1fr)); gap: 1em; }
.consent { display: flex; gap: .75em; align-items: start; margin-bottom: .25em; }
.consent label { margin: 0; color: var(--ink); }
.consent input { flex: none; width: 1.5em; min-height: 1.5em; margin: 0; accent-color: var(--accent); }
.primary {
  width: 100%; min-height: 3.25em; margin-top: 1em; padding-inline: 1.25em; border: 0; border-radius: var(--radius);
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
}
.primary:hover { filter: brightness(1.08); }
:disabled .primary, .primary:disabled {
  background: var(--soft); box-shadow: inset 0 0 0 1px var(--line); color: var(--muted); filter: none; cursor: progress;
}
details { margin-top: 1em; }
summary { width: fit-content; min-height: 2.75em; line-height: 2.75; color: var(--accent); cursor: pointer; }
ul { padding: 0; list-style: none; }
li { padding-block: .5em; border-top: 1px solid var(--line); font-size: .9375em; }
li > span { display: block; }
li[data-outcome=declined] b, li[data-outcome=refused] b { color: var(--alarm); }
`;
