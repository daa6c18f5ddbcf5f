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
  background: var(--soft);
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
.primary {
  width: 100%; min-height: 3.25em; margin-top: 1em; padding-inline: 1.25em; border: 0; border-radius: var(--radius);
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
}
.primary:hover { filter: brightness(1.08); }
:disabled .primary, .primary:disabled {
  background: var(--soft); box-shadow: inset 0 0 0 1px var(--line); color: var(--muted); filter: none; cursor: progress;
}
ul { padding: 0; list-style: none; }
`;
