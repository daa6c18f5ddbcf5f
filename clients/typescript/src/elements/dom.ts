type Child = Node | string | null | undefined;

/** Creates an element. Texts become text nodes, never markup. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | boolean | undefined>,
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** A button that does something on this page. */
export function button(label: string, part: string, onclick: () => void): HTMLButtonElement {
  const made = h("button", { type: "button", part }, label);
  made.onclick = onclick;
  return made;
}

/** Writes a text only if it differs, so that a screen reader does not repeat it. */
export function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** `HTMLElement`, or a stand-in where a server renders the page: the module can be imported there. */
export const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** Gives an element's shadow root its style, which a strict content security policy allows. */
export function styled(host: HTMLElement, css: string): ShadowRoot {
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  return root;
}

/** A whole number in an attribute; undefined if it has none. */
export function integer(host: HTMLElement, name: string): number | undefined {
  const value = host.getAttribute(name)?.trim();
  return value && /^\d+$/.test(value) ? Number(value) : undefined;
}
