import type { ChangePreview, Plan, Quote } from "../api.js";
import { PlanStore, type PortalFlow } from "../page/plan.js";
import { type PagePlanClient, planClient } from "../page/plan_client.js";
import { PLAN_TEXTS, type PlanTexts } from "../page/plan_texts.js";
import { returnedFrom } from "../page/returning.js";
import { asError } from "../page/store.js";
import { formats } from "./config.js";
import { Base, button, h, styled, write } from "./dom.js";
import { PLAN } from "./manage_plan_styles.js";
import { currentLines, messageOf, type PlanContext, planLine, type PlanMessage } from "./manage_plan_view.js";
import { forget, leave, localeOf, once, type RecurringOptions, whenConfigured } from "./recurring_config.js";

/** What the elements of a page share. */
interface PlanPage {
  client: PagePlanClient;
  store: PlanStore;
  texts: PlanTexts;
  locale: string | undefined;
}

const pageOf = once((options): PlanPage => {
  const client = planClient(options);
  const texts = { ...PLAN_TEXTS, ...options.texts?.plan };
  return { client, store: new PlanStore(client), texts, locale: localeOf(options) };
});

/** What the customer is asked before it is done. */
interface Question {
  text: string;
  label: string;
  news: string;
  work: () => Promise<boolean>;
}

/**
 * `<manage-plan>`: the plans, and the customer's own one: its state, its next date, and what ends when. The customer
 * subscribes, changes with a preview of the price, cancels with the period, resumes, pays what is due, and visits the
 * payment provider's portal.
 *
 * Attributes: `currency` (whose prices are shown; by default the service's main one), `success-url` and `cancel-url`
 * (where hosted pages lead back to, by default this page), `theme`. The attribute `state` is set by the element:
 * `loading`, `none`, `trialing`, `active`, `ending`, `past_due`, `unpaid`, `paused` or `error`. Events: `topup-plan` with
 * the subscription, or null, when it has changed, and `topup-redirect` before the browser leaves.
 */
export class ManagePlan extends Base {
  #page: PlanPage | undefined;
  #parts: ReturnType<typeof parts> | undefined;
  #stop: (() => void) | undefined;
  #quote: Quote | undefined;
  #quoteError: Error | undefined;
  #question: Question | undefined;
  #news = "";
  #told = "";
  #listed = "";
  #shown: string | undefined;
  readonly #start = (options: RecurringOptions) => {
    const page = (this.#page = pageOf(options));
    const from = this.#parts ? undefined : returnedFrom();
    if (!this.#parts) this.#build(page);
    if (from === "plan" || from === "portal") this.#news = from === "plan" ? page.texts.subscribed : page.texts.back;
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
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Reads everything again. */
  refresh(): Promise<void> {
    return this.#page?.store.refresh() ?? Promise.resolve();
  }

  #build({ texts, store }: PlanPage): void {
    const it = (this.#parts = parts(texts));
    styled(this, PLAN).append(it.group);
    it.retry.onclick = () => {
      void store.refresh();
      if (!this.#quote) void this.#learn();
    };
    it.portal.onclick = () => void this.#portal();
    it.end.onclick = () => {
      const { cancelAt, periodEnd } = store.state.subscription ?? {};
      const at = cancelAt ?? periodEnd;
      const text = texts.willCancel(at ? this.#context.format.date(at) : "–");
      this.#ask({ text, label: texts.cancelPlan, news: texts.canceled, work: store.cancel });
    };
    it.resume.onclick = () => void this.#do(texts.resumed, store.resume);
    it.yes.onclick = () => {
      const { news, work } = this.#question as Question;
      void this.#do(news, work);
    };
    it.no.onclick = () => {
      this.#question = undefined;
      this.#show();
      it.status.focus();
    };
  }

  /** Asks how credits are counted, and for the main currency. */
  async #learn(): Promise<void> {
    const answer = await (this.#page as PlanPage).client.quote().catch(asError);
    [this.#quote, this.#quoteError] = answer instanceof Error ? [undefined, answer] : [answer, undefined];
    this.#show();
  }

  get #context(): PlanContext {
    const page = this.#page as PlanPage;
    const format = formats(page, this.#quote?.creditDisplayDecimals ?? 0);
    return { texts: page.texts, format, currency: this.getAttribute("currency") ?? this.#quote?.currency ?? "" };
  }

  #show(): void {
    const it = this.#parts as ReturnType<typeof parts>;
    const { store: { state }, texts } = this.#page as PlanPage;
    const context = this.#context;
    const error = state.error ?? this.#quoteError;
    const isKnown = state.plans !== undefined && this.#quote !== undefined;
    it.retry.hidden = !error;
    const { subscription } = state;
    const name = !isKnown ? (error ? "error" : "loading")
      : !subscription ? "none" : subscription.cancelAt ? "ending" : subscription.status;
    if (this.getAttribute("state") !== name) this.setAttribute("state", name);
    write(it.state, isKnown ? (texts.states[name] ?? "") : error ? "" : texts.loading);
    this.#tell(messageOf(isKnown ? state : { ...state, plans: undefined, error }, this.#news, context));
    if (!isKnown) return;
    it.current.replaceChildren(...currentLines(state, context));
    it.current.hidden = !subscription;
    it.actions.hidden = !subscription || this.#question !== undefined;
    it.end.hidden = Boolean(subscription?.cancelAt);
    it.resume.hidden = !subscription?.cancelAt;
    it.confirm.hidden = !this.#question;
    write(it.question, this.#question?.text ?? "");
    write(it.yes, state.isChanging ? texts.working : this.#question?.label ?? "");
    for (const press of [it.end, it.resume, it.portal, it.yes, it.no]) press.disabled = state.isChanging;
    this.#list(context);
    const shown = JSON.stringify(subscription ?? null);
    if (this.#shown !== shown) {
      this.#shown = shown;
      const detail = subscription ?? null;
      this.dispatchEvent(new CustomEvent("topup-plan", { detail, bubbles: true, composed: true }));
    }
  }

  /** Shows the plans, if something about them is new: a button that is replaced loses the focus. */
  #list(context: PlanContext): void {
    const it = this.#parts as ReturnType<typeof parts>;
    const { state } = (this.#page as PlanPage).store;
    const { plans = [], subscription, isChanging } = state;
    const listed = JSON.stringify([plans, subscription, this.#quote?.creditDisplayDecimals, context.currency]);
    if (this.#listed !== listed) {
      this.#listed = listed;
      it.plans.replaceChildren(...plans.map((plan) =>
        planLine(plan, state, this.#choice(plan, context.texts), context)));
    }
    for (const press of it.plans.querySelectorAll("button")) press.disabled = isChanging;
  }

  /** What a customer may do with a plan. */
  #choice(plan: Plan, texts: PlanTexts): HTMLButtonElement | undefined {
    const { store } = this.#page as PlanPage;
    const { subscription } = store.state;
    const isCurrent = subscription?.planId === plan.id;
    if (isCurrent ? !subscription.nextPlanId : subscription?.nextPlanId === plan.id) return undefined;
    // While something is due, the service changes no plan.
    if (subscription && (subscription.due || ["past_due", "unpaid"].includes(subscription.status))) return undefined;
    const label = !subscription ? (plan.trialDays > 0 ? texts.startTrial : texts.subscribe)
      : isCurrent ? texts.keep : texts.change;
    const made = button(label, "button", () => {
      if (!subscription) void this.#subscribe(plan);
      else if (isCurrent) void this.#do(texts.resumed, () => store.change(plan.id));
      else void this.#preview(plan);
    });
    made.className = "choose";
    made.setAttribute("aria-describedby", `plan-${plan.id}`);
    return made;
  }

  async #subscribe(plan: Plan): Promise<void> {
    const successUrl = this.getAttribute("success-url") ?? undefined;
    const cancelUrl = this.getAttribute("cancel-url") ?? undefined;
    this.#news = "";
    this.#go(await (this.#page as PlanPage).store.subscribePage(plan.id, { successUrl, cancelUrl }));
  }

  async #portal(flow?: PortalFlow): Promise<void> {
    this.#news = "";
    this.#go(await (this.#page as PlanPage).store.portalPage(flow, this.getAttribute("success-url") ?? undefined));
  }

  #go(url: string | undefined): void {
    if (url !== undefined) leave(this, url);
    else (this.#parts as ReturnType<typeof parts>).status.focus();
  }

  async #preview(plan: Plan): Promise<void> {
    const { store, texts } = this.#page as PlanPage;
    const preview = await store.preview(plan.id);
    if (!preview) return (this.#parts as ReturnType<typeof parts>).status.focus();
    this.#ask({
      text: texts.willChange(plan, preview as ChangePreview, this.#context.format),
      label: texts.confirmChange,
      news: preview.takesEffect === "now" ? texts.changed : texts.changesLater,
      work: () => store.change(plan.id, preview),
    });
  }

  #ask(question: Question): void {
    this.#question = question;
    this.#news = "";
    this.#show();
    const { confirm } = this.#parts as ReturnType<typeof parts>;
    confirm.focus();
    confirm.scrollIntoView({ block: "nearest" });
  }

  /** Does something, and then says so. */
  async #do(news: string, work: () => Promise<boolean>): Promise<void> {
    this.#news = "";
    this.#news = (await work()) ? news : "";
    this.#question = undefined;
    this.#show();
    (this.#parts as ReturnType<typeof parts>).status.focus(); // what was pressed is gone
  }

  #tell({ name, title, text, pay, needsCard }: PlanMessage): void {
    const it = this.#parts as ReturnType<typeof parts>;
    const { texts } = this.#page as PlanPage;
    const key = JSON.stringify([name, title, text, pay, needsCard]);
    if (this.#told === key) return; // a screen reader would repeat it
    this.#told = key;
    it.status.dataset["state"] = name;
    it.status.replaceChildren(
      title && h("strong", {}, title),
      text && h("p", {}, text),
      pay ? h("a", { href: pay.href, part: "link" }, pay.label) : "",
      needsCard ? button(texts.anotherCard, "link", () => void this.#portal("payment_method_update")) : "",
    );
  }
}

/** What stands in `<manage-plan>`. */
function parts(texts: PlanTexts) {
  const link = (id: string, label: string) =>
    Object.assign(button(label, "link", () => {}), { id, className: "quiet" });
  const state = h("span", { id: "state", part: "state" });
  const top = h("div", { class: "top" }, h("span", { id: "title", part: "label" }, texts.title), state);
  // Present from the start, so that screen readers observe it when the first message arrives.
  const status = h("div", { id: "status", part: "status", role: "status", tabindex: "-1" });
  const current = h("dl", { part: "current-plan", hidden: true });
  const [end, resume, portal] = [
    link("end", texts.cancelPlan), link("resume", texts.resume), link("portal", texts.portal),
  ] as const;
  const actions = h("p", { class: "actions", hidden: true }, end, resume, portal);
  const question = h("p", { id: "question" });
  const yes = h("button", { id: "yes", part: "button", class: "primary", type: "button" });
  const no = link("no", texts.cancel);
  const confirm = h("div", {
    id: "confirm", part: "confirm", role: "group", "aria-labelledby": "question", tabindex: "-1", hidden: true,
  }, question, yes, no);
  const plans = h("ul", { id: "plans", part: "plans" });
  const retry = link("retry", texts.tryAgain);
  retry.hidden = true;
  const group = h("div", { role: "group", "aria-labelledby": "title", part: "panel" },
    top, status, current, actions, confirm, plans, retry);
  return { group, state, status, current, actions, end, resume, portal, confirm, question, yes, no, plans, retry };
}
