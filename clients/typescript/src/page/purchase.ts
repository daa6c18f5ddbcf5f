// A purchase on a page: opened here, paid on the hosted page, followed after the return.
//
// The page never decides the outcome. Anyone can type the address that a customer returns to, so it is only a hint: the
// service is asked for the state of the checkout session.

import type { Session } from "../api.js";
import { isFinal, type Purchasing } from "../buying.js";
import { TopupError } from "../errors.js";
import { asError, Store } from "./store.js";

/** Where a purchase is. */
export type PurchaseStep = "idle" | "opening" | "confirming" | "processing" | "paid" | "cancelled" | "expired"
  | "failed" | "no_news" | "error";

export interface PurchaseState {
  step: PurchaseStep;
  /** What the service said last of the checkout session. */
  session: Session | undefined;
  /** The hosted page of a checkout that the customer left, to go on there. */
  url: string | undefined;
  error: Error | undefined;
  /** Whether the error came when a purchase was looked up, not when it was opened. */
  isLookup: boolean;
}

/** Where the hosted page sends the customer, by default back to this page, and the currency. */
export interface ReturnUrls {
  /** The currency to pay in; by default the account's. */
  currency?: string | undefined;
  successUrl?: string | undefined;
  cancelUrl?: string | undefined;
}

/** What is kept while the browser is on the hosted page. */
interface Kept {
  id: string;
  url?: string | undefined;
  returned?: boolean;
}

const RETURNED = "topup_session";
const CANCELLED = "topup_cancelled";
const KEPT = "topup:purchase";
/** How long to ask after a return, unless the bank is still at work. */
const PATIENCE_MS = 120_000;
const IDLE: PurchaseState = { step: "idle", session: undefined, url: undefined, error: undefined, isLookup: false };

export class Purchase extends Store<PurchaseState> {
  readonly #client: Pick<Purchasing, "checkout" | "session">;
  readonly #onPaid: (session: Session) => Promise<void>;
  /** One key for each purchase: a second click, or another try after an error, gets the same checkout. */
  #key: { what: string; key: string } | undefined;
  #follows = 0;

  /** `onPaid` is awaited before the state becomes `paid`, so that the balance is up to date by then. */
  constructor(client: Pick<Purchasing, "checkout" | "session">, onPaid: (session: Session) => Promise<void>) {
    super(IDLE);
    this.#client = client;
    this.#onPaid = onPaid;
  }

  /** Opens a checkout and leaves for the hosted page. If it cannot be opened, the state says why. */
  buy = async (credits: number, urls: ReturnUrls = {}): Promise<void> => {
    if (this.state.step === "opening") return;
    this.#follows += 1; // an earlier purchase is not followed any more
    this.set({ ...IDLE, step: "opening" });
    try {
      const { id, url } = await this.#open(credits, urls, true);
      keep({ id, url });
      location.assign(url);
    } catch (error) {
      this.set({ ...IDLE, step: "error", error: asError(error) });
    }
  };

  async #open(credits: number, urls: ReturnUrls, mayStartAnew: boolean): Promise<{ id: string; url: string }> {
    const { currency } = urls;
    const what = `${credits} ${currency}`;
    if (this.#key?.what !== what) this.#key = { what, key: crypto.randomUUID() };
    try {
      const request = {
        credits,
        successUrl: successUrl(urls.successUrl),
        cancelUrl: cancelUrl(urls.cancelUrl),
        currency: currency as string, // left out of the body while it is undefined
      };
      const checkout = await this.#client.checkout(request, { idempotencyKey: this.#key.key });
      this.#key = undefined;
      return checkout;
    } catch (error) {
      if (!(error instanceof TopupError && error.code === "session_ended" && mayStartAnew)) throw error;
      this.#key = undefined; // that checkout was paid or has expired, so this is a new purchase
      return this.#open(credits, urls, false);
    }
  }

  /** Looks whether the customer has come back, and follows their purchase. Call it when the page is shown. */
  resume = async (): Promise<void> => {
    const wasCancelled = noteReturn();
    const purchase = kept();
    if (purchase) return this.#follow(purchase);
    if (wasCancelled) this.set({ ...IDLE, step: "cancelled" });
    else if (this.state.step === "opening" || this.state.step === "error") this.set(IDLE);
  };

  async #follow(purchase: Kept): Promise<void> {
    const count = ++this.#follows;
    if (purchase.returned) this.set({ ...IDLE, step: "confirming" });
    const patienceEndsMs = Date.now() + PATIENCE_MS;
    for (let waitMs = 500; ; waitMs *= 1.5) {
      const answer = await this.#client.session(purchase.id).catch(asError);
      if (count !== this.#follows) return; // a later run has taken over
      if (answer instanceof Error) {
        const error = answer instanceof TopupError ? answer : undefined;
        if (error?.status === 404) forget();
        if (!error?.mayPass || Date.now() > patienceEndsMs) {
          return this.set({ ...IDLE, step: "error", error: answer, isLookup: true });
        }
      } else if (isFinal(answer)) {
        forget();
        if (answer.state === "paid") await this.#onPaid(answer).catch(() => {}); // the payment is told all the same
        return this.#show(answer.state as "paid" | "expired" | "failed", answer);
      } else if (answer.state === "processing") {
        this.#show("processing", answer);
      } else if (!purchase.returned) {
        this.#show("cancelled", answer, purchase.url);
      }
      const isSlow = !(answer instanceof Error) && answer.state === "processing";
      if (!isSlow && Date.now() > patienceEndsMs) {
        if (purchase.returned) this.set({ ...IDLE, step: "no_news" });
        return;
      }
      await new Promise((done) => setTimeout(done, Math.min(waitMs, isSlow ? 60_000 : 5_000)));
      if (count !== this.#follows) return;
    }
  }

  #show(step: PurchaseStep, session: Session, url?: string): void {
    if (this.state.step !== step || this.state.session?.declineCode !== session.declineCode) {
      this.set({ ...IDLE, step, session, url });
    }
  }
}

/** This page's address, without an earlier return, with a parameter; or the given one, if it has the parameter. */
function withParameter(given: string | undefined, name: string, value: string): string {
  const url = new URL(given ?? location.href, location.href);
  if (given === undefined) {
    url.hash = "";
    for (const old of [RETURNED, CANCELLED]) url.searchParams.delete(old);
  }
  if (!url.searchParams.has(name)) url.searchParams.set(name, value);
  return url.href;
}

const successUrl = (given?: string) => withParameter(given, RETURNED, "{CHECKOUT_SESSION_ID}");
const cancelUrl = (given?: string) => withParameter(given, CANCELLED, "1");

/** Stores the parameters of a return and takes them out of the address, so that a reload does not repeat it. */
function noteReturn(): boolean {
  const url = new URL(location.href);
  const id = url.searchParams.get(RETURNED);
  const wasCancelled = url.searchParams.has(CANCELLED);
  if (!id && !wasCancelled) return false;
  if (id) keep({ id, returned: true });
  for (const name of [RETURNED, CANCELLED]) url.searchParams.delete(name);
  history.replaceState(history.state, "", url.href);
  return wasCancelled;
}

// The tab's session storage, because a page's scripts end when the browser leaves it. Where it is blocked, a return
// without a payment is not recognised; one with a payment is, by the address.

function kept(): Kept | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null) ?? inMemory;
  } catch {
    return inMemory;
  }
}

let inMemory: Kept | undefined;

function keep(value: Kept): void {
  inMemory = value;
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(value));
  } catch {
    // It is in memory.
  }
}

function forget(): void {
  inMemory = undefined;
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // There is nothing to forget.
  }
}
