import type { CallOptions, ChangePreview, Entitlement, Plan, Subscription } from "../api.js";
import type { PlanCalls } from "../subscribing.js";
import { backFrom, type BackTo } from "./returning.js";
import { UNKNOWN, type WatchedState, WatchingStore } from "./watching.js";

/** The plans and the customer's subscription as far as they are known. */
export interface PlanState extends WatchedState {
  /** The plans that are sold; undefined until they are read. */
  plans: Plan[] | undefined;
  /** The running subscription; undefined without one. */
  subscription: Subscription | undefined;
  /** Its plan; undefined without one, or if it is not sold any more. */
  plan: Plan | undefined;
  /** What the customer is entitled to; undefined if they never subscribed, or where it is not asked for. */
  entitlement: Entitlement | undefined;
}

/** What to do in the portal. */
export type PortalFlow = "payment_method_update" | "subscription_cancel" | "subscription_update";

/** The calls, and how to ask what an account is entitled to, if that is wanted. */
export type PlanClient = PlanCalls & { entitlement?: (accountId: string, options: CallOptions) => Promise<Entitlement> };

/** The states in which a subscription has ended, or never began. */
const OVER = ["canceled", "incomplete", "incomplete_expired"];
/** A payment is told by a webhook. */
const NEWS_MS = 60_000;
const NOTHING: PlanState =
  { ...UNKNOWN, plans: undefined, subscription: undefined, plan: undefined, entitlement: undefined };

export class PlanStore extends WatchingStore<PlanState> {
  readonly #client: PlanClient;
  readonly #onPeriod: () => void;

  /** `onPeriod` is called when the subscription has changed since the last look, because it may have brought credits. */
  constructor(client: PlanClient, onPeriod: () => void = () => {}) {
    super(NOTHING);
    this.#client = client;
    this.#onPeriod = onPeriod;
  }

  protected async read(): Promise<Partial<PlanState>> {
    const [plans, all] = await Promise.all([this.#client.plans(), this.#client.subscriptions()]);
    const account = all[0]?.accountId;
    const entitlement = account === undefined ? undefined : await this.#client.entitlement?.(account, {});
    return { plans, entitlement, error: undefined, ...this.#running(plans, all) };
  }

  protected override show(news: Partial<PlanState>): void {
    const isFirst = this.state.plans === undefined;
    const before = JSON.stringify(this.state.subscription);
    super.show(news);
    if (!isFirst && before !== JSON.stringify(this.state.subscription)) this.#onPeriod();
    this.lookAgain(false);
  }

  /** Opens the checkout of a plan, and returns its address. */
  subscribePage = async (planId: string, { successUrl, cancelUrl }: BackTo = {}): Promise<string | undefined> => {
    const urls = { successUrl: backFrom("plan", successUrl), cancelUrl: backFrom(undefined, cancelUrl) };
    return (await this.doing(() => this.#client.subscribe({ planId, ...urls })))?.url;
  };

  /** Opens the portal, and returns its address. */
  portalPage = (flow?: PortalFlow, returnUrl?: string): Promise<string | undefined> =>
    this.doing(() => this.#client.portal({ returnUrl: backFrom("portal", returnUrl), ...(flow ? { flow } : {}) }));

  /** What a change of the plan would cost. */
  preview = (planId: string): Promise<ChangePreview | undefined> =>
    this.doing(() => this.#client.previewChange(this.#id, planId));

  /** Changes the plan; for the price of a preview, give it. Whether that worked; if not, `changeError` says why. */
  change = (planId: string, preview?: ChangePreview): Promise<boolean> => {
    const date = preview?.prorationDate;
    return this.#changed(() => this.#client.changePlan(this.#id, date ? { planId, prorationDate: date } : { planId }));
  };

  /** Ends the subscription with the period that is paid. */
  cancel = (): Promise<boolean> => this.#changed(() => this.#client.cancelSubscription(this.#id));

  /** Lets it go on after all. */
  resume = (): Promise<boolean> => this.#changed(() => this.#client.resumeSubscription(this.#id));

  /** The customer is back from a page: what they did there may take a moment to arrive. */
  awaitNews = (): void => this.expectNews(NEWS_MS);

  get #id(): string {
    if (!this.state.subscription) throw new Error("topup: there is no running subscription");
    return this.state.subscription.id;
  }

  async #changed(work: () => Promise<Subscription>): Promise<boolean> {
    const subscription = await this.doing(async () => work());
    if (!subscription) return false;
    this.show(this.#running(this.state.plans ?? [], [subscription]));
    this.expectNews(NEWS_MS);
    return true;
  }

  #running(plans: Plan[], all: Subscription[]): Pick<PlanState, "subscription" | "plan"> {
    const subscription = all.find(({ status }) => !OVER.includes(status));
    return { subscription, plan: plans.find(({ id }) => id === subscription?.planId) };
  }
}
