// Hooks for React 18 and later. They share one balance and one purchase per client, however many components use them.

import { createContext, createElement, type FunctionComponent, type ReactNode, useCallback, useContext, useEffect,
  useSyncExternalStore } from "react";
import type { ChangePreview } from "../api.js";
import type { Topup } from "../index.js";
import { type AutoTopupRules, type AutoTopupState, AutoTopupStore } from "../page/auto_topup.js";
import { type BalanceState, BalanceStore } from "../page/balance.js";
import { PlanStore, type PlanState, type PortalFlow } from "../page/plan.js";
import { Purchase, type PurchaseState, type ReturnUrls } from "../page/purchase.js";
import { type BackTo, returnedFrom } from "../page/returning.js";
import { entitlementOf } from "../subscribing.js";

interface Shared {
  balance: BalanceStore;
  purchase: Purchase;
  autoTopup: AutoTopupStore;
  plan: PlanStore;
  isResumed: boolean;
}

const shared = new WeakMap<Topup, Shared>();

function sharedBy(client: Topup): Shared {
  let found = shared.get(client);
  if (!found) {
    const balance = new BalanceStore(client);
    const refresh = () => balance.refresh();
    const autoTopup = new AutoTopupStore(client, () => void refresh());
    const entitlement = (accountId: string) => entitlementOf(client.api, accountId, {});
    const plan = new PlanStore({ ...client, entitlement }, () => void refresh());
    found = { balance, purchase: new Purchase(client, refresh), autoTopup, plan, isResumed: false };
    shared.set(client, found);
  }
  return found;
}

const TopupContext = createContext<Topup | undefined>(undefined);

/** Gives its children a client, which should be created once, outside of components. */
export const TopupProvider: FunctionComponent<{ client: Topup; children?: ReactNode }> = ({ client, children }) =>
  createElement(TopupContext.Provider, { value: client }, children);

/** The client of the nearest `TopupProvider`, or the given one. */
export function useTopup(given?: Topup): Topup {
  const inherited = useContext(TopupContext);
  const client = given ?? inherited;
  if (!client) throw new Error("topup: there is no TopupProvider above, and no client was given");
  return client;
}

/** What `useCredits` returns. */
export interface Credits extends BalanceState {
  /** Reads the balance again. */
  refresh: () => Promise<void>;
  /** Shows a balance that came in another way, such as in a stream: `note(spend.balance)`. */
  note: BalanceStore["note"];
}

/**
 * The customer's balance. It is read when the first component uses it, when the page gets the focus, after a purchase,
 * and when credits end.
 */
export function useCredits(given?: Topup): Credits {
  const { balance } = sharedBy(useTopup(given));
  const state = useSyncExternalStore(balance.subscribe, () => balance.state, () => balance.state);
  return { ...state, refresh: balance.refresh, note: balance.note };
}

/** What `useCheckout` returns. */
export interface Checkout extends PurchaseState {
  /** Opens a checkout for so many credits and leaves for the payment page. */
  buy: (credits: number) => Promise<void>;
  /** Looks again what came of the purchase. */
  resume: () => Promise<void>;
}

/**
 * A purchase: `buy` sends the customer to the payment page, and `step` tells what came of it when they are back.
 * By default they come back to the same page.
 */
export function useCheckout(
  { client: given, currency, successUrl, cancelUrl }: ReturnUrls & { client?: Topup } = {},
): Checkout {
  const page = sharedBy(useTopup(given));
  const { purchase } = page;
  const state = useSyncExternalStore(purchase.subscribe, () => purchase.state, () => purchase.state);
  useEffect(() => {
    if (!page.isResumed) {
      page.isResumed = true; // for all components, and once in React's strict mode
      void purchase.resume();
    }
    const onShow = ({ persisted }: PageTransitionEvent) => {
      if (persisted) void purchase.resume(); // Back restored this page from the browser's cache
    };
    addEventListener("pageshow", onShow);
    return () => removeEventListener("pageshow", onShow);
  }, [page, purchase]);
  const buy = useCallback(
    (credits: number) => purchase.buy(credits, { currency, successUrl, cancelUrl }),
    [purchase, currency, successUrl, cancelUrl],
  );
  return { ...state, buy, resume: purchase.resume };
}

/** What `useAutoTopup` returns. */
export interface AutomaticTopup extends AutoTopupState {
  /** Reads it again. */
  refresh: () => Promise<void>;
  /** Turns it on with all rules and the customer's consent. If that fails, `changeError` says why. */
  turnOn: (rules: AutoTopupRules) => Promise<boolean>;
  turnOff: () => Promise<boolean>;
  /** Leaves for the page on which the customer saves a card. */
  saveCard: (urls?: BackTo) => Promise<void>;
  /** Leaves for the page on which the customer confirms a payment. */
  confirmPayment: (urls?: BackTo) => Promise<void>;
}

/**
 * Whether credits are bought by themselves, and the cards. It is read when the first component uses it, when the page
 * gets the focus, after a change, and while a charge is under way; then the balance of `useCredits` is read, too.
 */
export function useAutoTopup(given?: Topup): AutomaticTopup {
  const { autoTopup: store } = sharedBy(useTopup(given));
  const state = useSyncExternalStore(store.subscribe, () => store.state, () => store.state);
  useEffect(() => {
    if (returnedFrom() !== undefined) store.awaitNews();
  }, [store]);
  const saveCard = useCallback(async (urls?: BackTo) => go(await store.cardPage(urls)), [store]);
  const confirmPayment = useCallback(async (urls?: BackTo) => go(await store.confirmationPage(urls)), [store]);
  const { refresh, turnOn, turnOff } = store;
  return { ...state, refresh, turnOn, turnOff, saveCard, confirmPayment };
}

/** What `usePlan` returns. */
export interface CustomerPlan extends PlanState {
  /** Reads it again. */
  refresh: () => Promise<void>;
  /** Leaves for the checkout of a plan. By default the customer comes back to the same page. */
  subscribe: (planId: string, urls?: BackTo) => Promise<void>;
  /** What a change of the plan would cost; undefined if that could not be found out (`changeError`). */
  preview: (planId: string) => Promise<ChangePreview | undefined>;
  /** Changes the plan; with its preview, what is paid is what was shown. Whether that worked. */
  change: (planId: string, preview?: ChangePreview) => Promise<boolean>;
  /** Ends the subscription with the period that is paid. */
  cancel: () => Promise<boolean>;
  /** Lets it go on after all. */
  resume: () => Promise<boolean>;
  /** Leaves for the payment provider's portal. */
  portal: (flow?: PortalFlow, returnUrl?: string) => Promise<void>;
}

/**
 * The plans, the customer's subscription, and what it entitles to. It is read when the first component uses it, when the
 * page gets the focus, after a change, and for a while after a return; when it changes, the balance of `useCredits` is
 * read, too.
 */
export function usePlan(given?: Topup): CustomerPlan {
  const { plan: store } = sharedBy(useTopup(given));
  const state = useSyncExternalStore(store.subscribe, () => store.state, () => store.state);
  useEffect(() => {
    if (returnedFrom() !== undefined) store.awaitNews();
  }, [store]);
  const subscribe = useCallback(
    async (planId: string, urls?: BackTo) => go(await store.subscribePage(planId, urls)), [store]);
  const portal = useCallback(
    async (flow?: PortalFlow, returnUrl?: string) => go(await store.portalPage(flow, returnUrl)), [store]);
  const { refresh, preview, change, cancel, resume } = store;
  return { ...state, refresh, subscribe, preview, change, cancel, resume, portal };
}

/** Leaves for a page, if it could be opened. */
function go(url: string | undefined): void {
  if (url !== undefined) location.assign(url);
}

export type { AutoTopupRules, AutoTopupState } from "../page/auto_topup.js";
export type { PlanState, PortalFlow } from "../page/plan.js";
export type { BalanceState } from "../page/balance.js";
export type { PurchaseState, PurchaseStep } from "../page/purchase.js";
