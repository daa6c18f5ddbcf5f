// One accent colour, system fonts, sizes in `em` of the surrounding text. Text has a contrast of at least 4.5 : 1, and
// the border of a field 3 : 1, in both schemes. The scheme is the page's (`color-scheme`), or the attribute `theme`.
// A page changes colours by the variables and everything else by parts.

export const SHARED = `
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
  text-decoration: underline; line-height: 2.75;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .25em; }
.note { color: var(--muted); font-size: .875em; }
.note:empty { display: none; }
.alarm { color: var(--alarm); font-size: .875em; }
.ears { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
dl div { display: flex; flex-wrap: wrap; column-gap: 1em; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`;
