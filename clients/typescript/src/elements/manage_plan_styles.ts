import { PANEL } from "./panel_styles.js";

export const PLAN = `${PANEL}
:host(:is([state=past_due], [state=unpaid])) #state { color: var(--alarm); }
#status[data-state=due] { border-color: var(--alarm); }
#status [part~=link] { margin-inline-end: 1.5em; }
#confirm { margin-top: 1em; padding: .75em 1em; border: 1px solid var(--accent); border-radius: var(--radius); }
#plans { display: grid; gap: .75em; margin-top: 1em; }
li { padding: .75em 1em; border: 1px solid var(--line); border-radius: var(--radius); }
li .top span { font-weight: 600; }
[part~=current] { border-color: var(--accent); }
.mark { color: var(--accent); font-size: .875em; font-weight: 600; }
.choose {
  margin-top: .5em; padding-inline: 1em; border: 1px solid var(--accent); border-radius: var(--radius);
  background: none; color: var(--accent); font-weight: 600;
}
.choose:hover { background: var(--wash); }
.choose:disabled { border-color: var(--line); color: var(--muted); cursor: progress; }
`;
