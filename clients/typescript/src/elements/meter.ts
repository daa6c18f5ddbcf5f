import type { Balance } from "../api.js";
import type { Texts } from "../page/texts.js";
import { forget, formats, type Page, whenConfigured } from "./config.js";
import { Base, button, h, integer, styled, write } from "./dom.js";
import { METER } from "./styles.js";

/**
 * `<credits-meter>`: the customer's credits. It is read again when the customer returns from the checkout, when the
 * page gets the focus, and when credits end.
 *
 * Attributes: `low` (with fewer available credits, the state is `low`), `label`, `compact`, `show-used` (a line for
 * `used`, also when it is 0), `theme`. The attribute
 * `state` is set by the element: `loading`, `ok`, `low`, `empty` or `error`. Event: `topup-balance`, with the balance.
 */
export class CreditsMeter extends Base {
  static observedAttributes = ["low", "label"];

  #page: Page | undefined;
  #stop: (() => void) | undefined;
  #used = 0;
  /** The length of the whole bar: the most that was there while the page is open. */
  #most = 0;
  #shown: Balance | undefined;
  #parts: ReturnType<typeof parts> | undefined;
  readonly #start = (page: Page) => {
    this.#page = page;
    this.#build(page.texts);
    this.#stop = page.balance.subscribe(() => this.#show());
    this.#show();
  };

  connectedCallback(): void {
    whenConfigured(this.#start);
  }

  disconnectedCallback(): void {
    forget(this.#start);
    this.#stop?.();
    this.#stop = undefined;
  }

  attributeChangedCallback(): void {
    this.#show();
  }

  /** How many of the held credits are used already, for work that the page shows while it grows. */
  get used(): number {
    return this.#used;
  }

  set used(credits: number) {
    this.#used = credits;
    this.#show();
  }

  /** The balance that is shown. Set it, also in parts, when it comes otherwise: `meter.balance = spend.balance`. */
  get balance(): Balance | undefined {
    return this.#page?.balance.state.balance;
  }

  set balance(news: Partial<Balance> | undefined) {
    if (news) this.#page?.balance.note(news);
  }

  /** Reads the balance again. */
  refresh(): Promise<void> {
    return this.#page?.balance.refresh() ?? Promise.resolve();
  }

  #build(texts: Texts): void {
    if (this.#parts) return;
    const root = styled(this, METER);
    this.#parts = parts(texts, () => void this.refresh());
    root.append(...this.#parts.all);
  }

  #show(): void {
    if (!this.#page || !this.#parts) return;
    const { balance, error, atMs } = this.#page.balance.state;
    const { texts } = this.#page;
    const it = this.#parts;
    write(it.label, this.getAttribute("label") ?? texts.balance);
    if (error) {
      const { error: sentence, balanceUnknown } = texts;
      write(it.warning, `${balanceUnknown}. ${sentence(error, formats(this.#page, 0))}`);
      this.#setState("error");
      write(it.refresh, texts.tryAgain);
      it.refresh.hidden = false;
      return;
    }
    if (!balance || atMs === undefined) return this.#setState("loading");
    this.#showNumbers(balance);
    write(it.refresh, texts.refresh);
    it.refresh.hidden = false;
    if (this.#shown === balance) return;
    this.#shown = balance;
    const { credits } = formats(this.#page, balance.creditDisplayDecimals);
    const counted = (value: number) => `${credits(value)} ${texts.credits(credits(value))}`;
    // For ears: at each news of the balance, not at each step of what is used.
    write(it.says, texts.says(counted(balance.availableCredits), counted(balance.heldCredits)));
    this.dispatchEvent(new CustomEvent("topup-balance", { detail: balance, bubbles: true, composed: true }));
  }

  #showNumbers(balance: Balance): void {
    const { texts } = this.#page as Page;
    const it = this.#parts as ReturnType<typeof parts>;
    const { credits, date } = formats(this.#page as Page, balance.creditDisplayDecimals);
    const { remainingCredits, availableCredits, heldCredits, owedCredits, nextExpiry } = balance;
    const used = Math.max(0, Math.min(this.#used, heldCredits));
    write(it.balance, credits(remainingCredits));
    it.balance.dataset["credits"] = String(remainingCredits);
    write(it.unit, texts.credits(credits(remainingCredits)));
    this.#most = Math.max(this.#most, remainingCredits);
    const share = (part: number) => `${this.#most > 0 ? (100 * Math.max(part, 0)) / this.#most : 0}%`;
    it.bars.available.style.width = share(availableCredits);
    it.bars.held.style.width = share(Math.min(heldCredits, remainingCredits) - used);
    it.bars.used.style.width = share(used);
    write(it.available, credits(availableCredits));
    write(it.held, credits(heldCredits));
    write(it.used, credits(used));
    it.usedLine.hidden = this.#used === 0 && !this.hasAttribute("show-used");
    const notes = [
      owedCredits > 0 ? texts.owed(credits(owedCredits)) : "",
      nextExpiry ? texts.ends(credits(nextExpiry.credits), date(nextExpiry.at)) : "",
    ];
    write(it.note, notes.filter(Boolean).join(" "));
    const low = integer(this, "low");
    const state = availableCredits <= 0 && heldCredits <= 0 ? "empty"
      : low !== undefined && availableCredits < low ? "low" : "ok";
    write(it.warning, state === "empty" ? texts.empty : state === "low" ? texts.low : "");
    this.#setState(state);
  }

  #setState(state: string): void {
    if (this.getAttribute("state") !== state) this.setAttribute("state", state);
  }
}

function parts(texts: Texts, onRefresh: () => void) {
  const label = h("span", { id: "label", part: "label" });
  const refresh = button(texts.refresh, "refresh", onRefresh);
  Object.assign(refresh, { id: "refresh", className: "quiet", hidden: true });
  const balance = h("span", { id: "balance", part: "number" }, "–");
  const unit = h("span", { id: "unit", part: "unit" });
  // Present from the start, so that screen readers observe them when the first text arrives.
  const warning = h("p", { id: "warning", part: "warning", role: "status" });
  const says = h("p", { id: "meter-says", class: "ears", "aria-live": "polite" });
  const note = h("p", { id: "note", part: "note", class: "note" });
  const bars = { available: h("i", { class: "a" }), held: h("i", { class: "h" }), used: h("i", { class: "u" }) };
  // For the eyes; the numbers below say the same.
  const bar = h("div", { class: "bar", part: "bar", "aria-hidden": "true" }, bars.available, bars.held, bars.used);
  const [available, held, used] = ["available", "held", "used"].map((id) => h("dd", { id }, "–")) as
    [HTMLElement, HTMLElement, HTMLElement];
  const usedLine = h("div", { hidden: true }, h("dt", { class: "du" }, texts.used), used);
  const numbers = h("dl", { part: "numbers" },
    h("div", {}, h("dt", { class: "da" }, texts.available), available),
    h("div", {}, h("dt", { class: "dh" }, texts.held), held),
    usedLine);
  const group = h("div", { role: "group", "aria-labelledby": "label", part: "meter" },
    h("div", { class: "top" }, label, refresh),
    h("p", { class: "amount", part: "amount" }, balance, unit),
    warning, note, bar, numbers, says);
  return { all: [group], label, refresh, balance, unit, warning, says, note, bars, available, held, used, usedLine };
}
