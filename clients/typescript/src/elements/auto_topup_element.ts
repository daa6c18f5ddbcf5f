import type { AutoTopup, Quote } from "../api.js";
import { TopupError } from "../errors.js";
import { AutoTopupStore } from "../page/auto_topup.js";
import { type AutoTopupClient, autoTopupClient } from "../page/auto_topup_client.js";
import { AUTO_TOPUP_TEXTS, type AutoTopupTexts } from "../page/auto_topup_texts.js";
import { backFrom, returnedFrom } from "../page/returning.js";
import { asError } from "../page/store.js";
import { chosenCard, fill, fillCards, type FormContext, numbers, read, refused, showProblems } from "./auto_topup_form.js";
import { type AutoTopupParts, autoTopupParts, FIELDS } from "./auto_topup_parts.js";
import { AUTO_TOPUP } from "./auto_topup_styles.js";
import { attemptLines, ruleLines, type Told, toldOf } from "./auto_topup_view.js";
import { formats } from "./config.js";
import { Base, button, h, styled, write } from "./dom.js";
import { forget, leave, localeOf, once, type RecurringOptions, whenConfigured } from "./recurring_config.js";

/** How long to wait for the next key before asking for a price. */
const TYPING_MS = 250;
/** The service has no auto top-up, or no saved cards. */
const NOT_OFFERED = ["auto_topup_off", "saved_cards_off"];

/** What the elements of a page share. */
interface AutoTopupPage {
  client: AutoTopupClient;
  store: AutoTopupStore;
  texts: AutoTopupTexts;
  locale: string | undefined;
}

const pageOf = once((options): AutoTopupPage => {
  const client = autoTopupClient(options);
  const texts = { ...AUTO_TOPUP_TEXTS, ...options.texts?.autoTopup };
  return { client, store: new AutoTopupStore(client), texts, locale: localeOf(options) };
});

/**
 * `<auto-topup>`: whether credits are bought by themselves, by which rules, why not, and the last charges. The customer
 * saves a card, agrees, turns it on and off, and confirms a payment that the bank asked about.
 *
 * Attributes: `consent-version` (required: your name for the text that the customer agrees to), `threshold`, `credits`,
 * `max-per-day` and `max-per-month-minor` (suggested at first), `currency`, `success-url` and `cancel-url` (where
 * hosted pages lead back to, by default this page), `theme`. Slot `consent`: your text in place of the built-in one. The
 * attribute `state` is set by the element: `loading`, `off`, `active`, `paused`, `unavailable` or `error`. Events:
 * `topup-auto-topup` with the auto top-up when it has changed, and `topup-redirect` before the browser leaves.
 */
export class AutoTopupElement extends Base {
  #page: AutoTopupPage | undefined;
  #parts: AutoTopupParts | undefined;
  #stop: (() => void) | undefined;
  #offer: Quote | undefined;
  #offerError: Error | undefined;
  /** The price of what the form says. */
  #price: number | undefined;
  #asking = new AbortController();
  /** Whether the form is open although it is on. */
  #isEditing = false;
  #isFilled = false;
  #news = "";
  #told = "";
  #shown = "";
  readonly #start = (options: RecurringOptions) => {
    const page = (this.#page = pageOf(options));
    const from = this.#parts ? undefined : returnedFrom();
    if (!this.#parts) this.#build(page);
    if (from === "card" || from === "payment") this.#news = from === "card" ? page.texts.cardSaved : page.texts.back;
    this.#stop = page.store.subscribe(() => this.#show());
    if (from) page.store.awaitNews();
    this.#show();
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

  /** Reads everything again. */
  refresh(): Promise<void> {
    return this.#page?.store.refresh() ?? Promise.resolve();
  }

  #build({ texts, store }: AutoTopupPage): void {
    const it = autoTopupParts(texts);
    this.#parts = it;
    if (this.#version === undefined) console.error("topup: <auto-topup> needs a consent-version");
    styled(this, AUTO_TOPUP).append(it.group);
    it.form.onsubmit = (event) => {
      event.preventDefault();
      void this.#turnOn();
    };
    it.form.oninput = ({ target }) => {
      this.#showConsent();
      if (target === it.inputs.credits || target === it.inputs.paymentMethodId) void this.#quote(TYPING_MS);
    };
    it.change.onclick = () => this.#edit(true);
    it.cancel.onclick = () => this.#edit(false);
    it.turnOff.onclick = () => void this.#doing(texts.isNow(texts.states.off), () => store.turnOff());
    it.anotherCard.onclick = () => void this.#open("card");
    it.retry.onclick = () => {
      void store.refresh();
      if (!this.#offer) void this.#learn();
    };
  }

  /** Asks what can be bought, and how it is counted. */
  async #learn(): Promise<void> {
    const { client } = this.#page as AutoTopupPage;
    const currency = this.getAttribute("currency") ?? undefined;
    const answer = await client.quote(currency ? { currency } : {}).catch(asError);
    if (answer instanceof Error) this.#offerError = answer;
    else [this.#offer, this.#offerError] = [answer, undefined];
    this.#show();
  }

  /** What the form needs, once all of it is known. */
  get #form(): FormContext | undefined {
    const { autoTopup, cards = [] } = (this.#page as AutoTopupPage).store.state;
    if (!this.#offer || !autoTopup || !this.#parts) return undefined;
    const { texts } = this.#page as AutoTopupPage;
    const format = formats(this.#page as AutoTopupPage, this.#offer.creditDisplayDecimals);
    const currency = this.getAttribute("currency") ?? autoTopup.currency;
    return { parts: this.#parts, texts, format, offer: this.#offer, currency, cards };
  }

  #show(): void {
    const it = this.#parts as AutoTopupParts;
    const { texts, store } = this.#page as AutoTopupPage;
    const { state } = store;
    const error = state.error ?? this.#offerError;
    const isOffered = !(error instanceof TopupError && NOT_OFFERED.includes(error.code));
    const form = this.#form;
    it.retry.hidden = !error || !isOffered;
    if (!form) {
      if (!isOffered) this.#tell({ name: "idle", title: "", text: texts.unavailable });
      else if (error) this.#tell(toldOf({ ...state, error, autoTopup: undefined }, "", texts, this.#format));
      this.#setState(!isOffered ? "unavailable" : error ? "error" : "loading");
      return;
    }
    const autoTopup = state.autoTopup as AutoTopup;
    const isOn = autoTopup.state !== "off";
    write(it.state, texts.states[autoTopup.state]);
    this.#setState(autoTopup.state);
    it.rules.hidden = !isOn;
    it.rules.replaceChildren(...ruleLines(autoTopup, form.cards, texts, form.format));
    it.actions.hidden = !isOn || this.#isEditing;
    it.turnOff.disabled = state.isChanging;
    it.history.hidden = autoTopup.attempts.length === 0;
    it.attempts.replaceChildren(...attemptLines(autoTopup, texts, form.format));
    this.#showForm(form, isOn);
    this.#tell(toldOf(it.form.hidden ? state : { ...state, changeError: undefined }, this.#news, texts, form.format));
    const shown = JSON.stringify(autoTopup);
    if (this.#shown !== shown) {
      this.#shown = shown;
      this.dispatchEvent(new CustomEvent("topup-auto-topup", { detail: autoTopup, bubbles: true, composed: true }));
    }
  }

  #showForm(form: FormContext, isOn: boolean): void {
    const it = form.parts;
    const { texts, store: { state } } = this.#page as AutoTopupPage;
    const wasHidden = it.form.hidden;
    it.form.hidden = isOn ? !this.#isEditing : form.cards.length === 0;
    it.cancel.hidden = !isOn;
    it.fields.disabled = state.isChanging;
    write(it.submit, isOn ? texts.keep : texts.turnOn);
    fillCards(form);
    if (it.form.hidden) return;
    if (wasHidden || !this.#isFilled) {
      fill(this, state.autoTopup?.rules, form);
      this.#isFilled = true;
      void this.#quote(0);
    }
    this.#showConsent();
    const { changeError } = state;
    const problems = refused(changeError, form, this.#price);
    const isField = Object.keys(problems).length > 0;
    if (isField) showProblems(it, problems);
    write(it.formProblem, changeError ? (isField ? texts.checkFields : texts.error(changeError, form.format)) : "");
    if (this.#version === undefined) {
      it.fields.disabled = true;
      write(it.formProblem, texts.unavailable);
    }
  }

  /** The page's name for the text that the customer agrees to. Nothing is turned on without it. */
  get #version(): string | undefined {
    return this.getAttribute("consent-version")?.trim() || undefined;
  }

  #showConsent(): void {
    const form = this.#form;
    if (form) write(form.parts.builtIn, form.texts.consent(numbers(form), form.format));
  }

  async #quote(delayMs: number): Promise<void> {
    this.#asking.abort(); // the answer to an earlier request must not overwrite a later one
    const { signal } = (this.#asking = new AbortController());
    const form = this.#form;
    if (!form) return;
    this.#price = undefined;
    const { credits, currency } = numbers(form);
    if (credits === undefined) return write(form.parts.price, "");
    const cardCountry = chosenCard(form)?.country;
    const query = { credits, currency, ...(cardCountry && { cardCountry }) };
    await new Promise((done) => setTimeout(done, delayMs));
    if (signal.aborted) return;
    const answer = await (this.#page as AutoTopupPage).client.quote(query, { signal }).catch(asError);
    if (signal.aborted) return;
    this.#price = answer instanceof Error ? undefined : answer.totalAmount;
    const price = this.#price === undefined ? "" : form.texts.price(form.format.money(this.#price, currency));
    write(form.parts.price, price);
  }

  async #turnOn(): Promise<void> {
    const form = this.#form;
    const version = this.#version;
    if (!form || form.parts.fields.disabled || version === undefined) return;
    const { store, texts } = this.#page as AutoTopupPage;
    const answer = read(form, this.#price);
    if ("problems" in answer) {
      write(form.parts.formProblem, texts.checkFields);
      showProblems(form.parts, answer.problems)?.focus();
      return;
    }
    showProblems(form.parts, {});
    const returnUrl = backFrom("payment", this.getAttribute("success-url") ?? undefined);
    const rules = { ...answer.rules, returnUrl, consent: { textVersion: version } };
    await this.#doing(texts.isNow(texts.states.active), () => store.turnOn(rules));
    const first = FIELDS.find((field) => form.parts.inputs[field].ariaInvalid === "true");
    if (store.state.changeError) (first ? form.parts.inputs[first] : form.parts.submit).focus();
  }

  /** Does something, and then says so. */
  async #doing(news: string, work: () => Promise<boolean>): Promise<void> {
    if (!(await work())) return;
    this.#news = news;
    this.#isEditing = this.#isFilled = false;
    this.#show();
    (this.#parts as AutoTopupParts).status.focus(); // what was pressed is gone
  }

  #edit(isEditing: boolean): void {
    const it = this.#parts as AutoTopupParts;
    this.#isEditing = isEditing;
    this.#isFilled = false;
    this.#news = "";
    this.#show();
    (isEditing ? it.inputs.thresholdCredits : it.change).focus();
  }

  async #open(what: "card" | "confirmation"): Promise<void> {
    const { store } = this.#page as AutoTopupPage;
    const urls = {
      successUrl: this.getAttribute("success-url") ?? undefined,
      cancelUrl: this.getAttribute("cancel-url") ?? undefined,
    };
    this.#news = "";
    const url = await (what === "card" ? store.cardPage(urls) : store.confirmationPage(urls));
    if (url) leave(this, url);
  }

  #tell({ name, title, text, action }: Told): void {
    const it = this.#parts as AutoTopupParts;
    const key = JSON.stringify([name, title, text, action]);
    if (this.#told === key) return; // a screen reader would repeat it
    this.#told = key;
    it.status.dataset["state"] = name;
    const node = action && ("href" in action
      ? h("a", { href: action.href, part: "link" }, action.label)
      : button(action.label, "link", () => void this.#open(action.opens)));
    it.status.replaceChildren(...[title && h("strong", {}, title), text && h("p", {}, text), node ?? ""]);
  }

  get #format() {
    return formats(this.#page as AutoTopupPage, this.#offer?.creditDisplayDecimals ?? 0);
  }

  #setState(state: string): void {
    if (this.getAttribute("state") !== state) this.setAttribute("state", state);
  }
}
