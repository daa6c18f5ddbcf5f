import type { Quote } from "../api.js";
import { TopupError } from "../errors.js";
import { parseCredits } from "../format.js";
import { asError } from "../page/store.js";
import type { Texts } from "../page/texts.js";
import { buyParts, QUOTED, type BuyParts } from "./buy_parts.js";
import { forget, formats, type Page, whenConfigured } from "./config.js";
import { Base, integer, styled, write } from "./dom.js";
import { messageOf } from "./message.js";
import { BUY } from "./styles.js";

/** How long to wait for the next key before asking for a price. */
const TYPING_MS = 250;

/**
 * `<buy-credits>`: an amount, its price as it is typed, the checkout, and what came of it after the return.
 *
 * Attributes: `amount` (chosen at first) and `amounts` (to choose from, with spaces between), in credits as the API
 * counts them; `currency` (by default the service's main one); `success-url` and `cancel-url` (by default this page);
 * `theme`. Events: `topup-checkout` before the
 * browser leaves, and `topup-paid` with the checkout session.
 */
export class BuyCredits extends Base {
  static observedAttributes = ["amount", "amounts", "currency"];

  #page: Page | undefined;
  #parts: BuyParts | undefined;
  #stop: (() => void) | undefined;
  /** What can be bought, and how it is counted; known after the first quote. */
  #offer: Quote | undefined;
  #quoted: Quote | undefined;
  #asking = new AbortController();
  #told = "";
  readonly #start = (page: Page) => {
    this.#page = page;
    if (!this.#parts) this.#build(page.texts);
    this.#stop = page.purchase.subscribe(() => this.#showPurchase());
    this.#showPurchase();
    void this.#learn();
  };

  connectedCallback(): void {
    whenConfigured(this.#start);
  }

  disconnectedCallback(): void {
    forget(this.#start);
    this.#asking.abort();
    this.#stop?.();
    this.#stop = undefined;
  }

  attributeChangedCallback(): void {
    if (this.#offer) void this.#learn();
  }

  override focus(options?: FocusOptions): void {
    this.#parts?.credits.focus(options);
  }

  /** The number of credits in the field, as the API counts them; NaN if it has none. */
  get credits(): number {
    return parseCredits(this.#parts?.credits.value ?? "", this.#offer?.creditDisplayDecimals);
  }

  set credits(credits: number) {
    if (!this.#parts) return;
    this.#parts.credits.value = Number(`${credits}e-${this.#offer?.creditDisplayDecimals ?? 0}`).toString();
    this.#changed(0);
  }

  /** The currency of the attribute. Without one, what is bought is what was quoted, not what the account defaults to. */
  get #currency(): string | undefined {
    return this.getAttribute("currency") ?? this.#offer?.currency;
  }

  #build(texts: Texts): void {
    const it = buyParts(texts);
    this.#parts = it;
    styled(this, BUY).append(it.status, it.form, it.retry);
    it.form.onsubmit = (event) => {
      event.preventDefault();
      void this.#buy();
    };
    it.retry.onclick = () => void this.#learn();
    it.credits.oninput = () => this.#changed(TYPING_MS);
  }

  /** Asks what can be bought. The form works as soon as this is known. */
  async #learn(): Promise<void> {
    const { client } = this.#page as Page;
    const it = this.#parts as BuyParts;
    const answer = await client.quote(undefined, { currency: this.#currency }).catch(asError);
    it.retry.hidden = !(answer instanceof Error);
    if (answer instanceof Error) return this.#showQuote(undefined, answer);
    this.#offer = answer;
    it.purchase.disabled = this.#page?.purchase.state.step === "opening";
    this.#showOffer();
  }

  #showOffer(): void {
    const it = this.#parts as BuyParts;
    const { smallestCredits, largestCredits, creditUnitCredits, creditDisplayDecimals } = this.#offer as Quote;
    const shown = (credits: number) => Number(`${credits}e-${creditDisplayDecimals}`).toString();
    it.credits.min = shown(smallestCredits);
    it.credits.max = shown(largestCredits);
    it.credits.step = shown(creditUnitCredits);
    const { credits } = formats(this.#page as Page, creditDisplayDecimals);
    const amounts = (this.getAttribute("amounts") ?? "").split(/\s+/).filter((text) => /^\d+$/.test(text)).map(Number);
    it.quick.hidden = amounts.length === 0;
    it.quick.replaceChildren(...amounts.map((amount) => {
      const choose = document.createElement("button");
      Object.assign(choose, { type: "button", textContent: credits(amount), value: String(amount) });
      choose.part.add("amount");
      choose.onclick = () => { this.credits = amount; };
      return choose;
    }));
    this.credits = integer(this, "amount") ?? amounts[0] ?? smallestCredits;
  }

  #changed(delayMs: number): void {
    const { quick } = this.#parts as BuyParts;
    for (const choose of quick.querySelectorAll("button")) {
      choose.ariaPressed = String(Number(choose.value) === this.credits);
    }
    void this.#quote(delayMs);
  }

  async #quote(delayMs: number): Promise<void> {
    this.#asking.abort(); // the answer to an earlier request must not overwrite a later one
    const { signal } = (this.#asking = new AbortController());
    const { credits } = this;
    const offer = this.#offer;
    if (!offer) return;
    const isSold = credits >= offer.smallestCredits && credits <= offer.largestCredits
      && credits % offer.creditUnitCredits === 0;
    if (!isSold) return this.#showQuote(undefined, NOT_SOLD);
    (this.#parts as BuyParts).quote.ariaBusy = "true";
    await new Promise((done) => setTimeout(done, delayMs));
    if (signal.aborted) return;
    const answer = await (this.#page as Page).client.quote(credits, { currency: this.#currency, signal }).catch(asError);
    if (signal.aborted) return;
    if (answer instanceof Error) this.#showQuote(undefined, answer);
    else this.#showQuote(answer, undefined);
  }

  #showQuote(quote: Quote | undefined, problem: Error | undefined): void {
    const it = this.#parts as BuyParts;
    const page = this.#page as Page;
    this.#quoted = quote;
    const format = formats(page, this.#offer?.creditDisplayDecimals ?? 0);
    for (const [id, read] of Object.entries(QUOTED)) {
      write(it.lines[id] as HTMLElement, quote ? read(quote, format, page.texts) : "–");
    }
    it.feeLine.hidden = quote?.feeAmount === 0;
    it.bonusLine.hidden = !quote?.bonusCredits;
    write(it.until, quote?.creditsExpireAt ? page.texts.goodUntil(format.date(quote.creditsExpireAt)) : "");
    it.quote.ariaBusy = "false";
    const isNumber = problem === NOT_SOLD || (problem instanceof TopupError && problem.status === 400);
    write(it.problem, problem ? this.#sentence(problem) : "");
    it.credits.ariaInvalid = String(isNumber); // other errors do not concern the number
    it.buy.disabled = !quote;
  }

  #sentence(problem: Error): string {
    const page = this.#page as Page;
    const format = formats(page, this.#offer?.creditDisplayDecimals ?? 0);
    const isNumber = problem === NOT_SOLD
      || (problem instanceof TopupError && problem.fieldErrors.some(({ field }) => field === "credits"));
    const { smallestCredits: smallest, largestCredits: largest, creditUnitCredits: unit } = this.#offer ?? {};
    if (!isNumber || smallest === undefined || largest === undefined || unit === undefined) {
      return page.texts.error(problem, format);
    }
    return page.texts.choose({ smallest, largest, unit }, format);
  }

  async #buy(): Promise<void> {
    const { purchase } = this.#page as Page;
    const { buy } = this.#parts as BuyParts;
    if (buy.matches(":disabled") || !this.#quoted) return; // already in progress, or the number is not valid
    const detail = { credits: this.credits, quote: this.#quoted };
    const event = new CustomEvent("topup-checkout", { detail, bubbles: true, composed: true, cancelable: true });
    if (!this.dispatchEvent(event)) return;
    await purchase.buy(this.credits, {
      currency: this.#currency,
      successUrl: this.getAttribute("success-url") ?? undefined,
      cancelUrl: this.getAttribute("cancel-url") ?? undefined,
    });
  }

  #showPurchase(): void {
    const page = this.#page as Page;
    const it = this.#parts as BuyParts;
    const { state } = page.purchase;
    const isOpening = state.step === "opening";
    const focused = this.shadowRoot?.activeElement;
    if (isOpening !== it.purchase.disabled && this.#offer) it.purchase.disabled = isOpening;
    if (isOpening && focused instanceof HTMLElement) this.#focusAfter = focused;
    if (!isOpening && this.#focusAfter) {
      this.#focusAfter.focus(); // a field that is disabled loses it
      this.#focusAfter = undefined;
    }
    write(it.buy, isOpening ? page.texts.opening : page.texts.toPayment);
    if (isOpening) { // a message about an earlier try would be mistaken for one about this
      this.#told = "";
      it.status.replaceChildren();
      return;
    }
    const decimals = (this.#offer ?? page.balance.state.balance)?.creditDisplayDecimals;
    const format = formats(page, decimals ?? 0);
    const again = () => void (state.isLookup || state.step === "no_news" ? page.purchase.resume() : this.#buy());
    const { name, title, text, action } = messageOf(state, page.texts, format, (error) => this.#sentence(error), again);
    if (this.#told === name + title + text) return;
    this.#told = name + title + text;
    it.status.dataset["state"] = name;
    const strong = document.createElement("strong");
    strong.textContent = title;
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    it.status.replaceChildren(...(title ? [strong, paragraph, action ?? ""] : []));
    if (title) it.status.scrollIntoView({ block: "nearest" });
    if (name === "paid") {
      this.dispatchEvent(new CustomEvent("topup-paid", { detail: state.session, bubbles: true, composed: true }));
    }
  }

  #focusAfter: HTMLElement | undefined;
}

/** A number that is not for sale. */
const NOT_SOLD = new TopupError("invalid_request", "the number is not for sale", { status: 400 });
