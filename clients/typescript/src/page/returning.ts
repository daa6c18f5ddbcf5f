// The way back from a hosted page other than a checkout for credits. What the address says is a hint, never a proof:
// the service is asked what is saved, paid or subscribed.

const RETURNED = "topup_return";

/** From where a customer comes back. */
export type Returned = "card" | "payment" | "plan" | "portal";

/** Where hosted pages lead back to: by default this page. */
export interface BackTo {
  /** After success. */
  successUrl?: string | undefined;
  /** After leaving the page without it. */
  cancelUrl?: string | undefined;
}

/** This page's address, or the given one, which says from where the customer comes; nothing for one who gave up. */
export function backFrom(from: Returned | undefined, given?: string): string {
  const url = new URL(given ?? location.href, location.href);
  if (given === undefined) {
    url.hash = "";
    url.searchParams.delete(RETURNED);
  }
  if (from) url.searchParams.set(RETURNED, from);
  return url.href;
}

let noted: string | null | undefined;

/** From where the customer came back to this page, if they did. The address is cleaned: a reload is no return. */
export function returnedFrom(): string | undefined {
  if (typeof location === "undefined") return undefined;
  const url = new URL(location.href);
  const from = url.searchParams.get(RETURNED);
  if (from !== null) {
    noted = from;
    url.searchParams.delete(RETURNED);
    history.replaceState(history.state, "", url.href);
  }
  return noted ?? undefined;
}
