// What customers read. The API's own messages are for developers and are never shown.

import type { Session } from "../api.js";
import { TopupError } from "../errors.js";

/** Writes numbers, amounts and times in the page's language. */
export interface Formats {
  credits(credits: number): string;
  number(value: number): string;
  money(amountMinor: number, currency: string): string;
  date(time: string): string;
}

/** What can be bought. */
export interface Bounds {
  smallest: number;
  largest: number;
  unit: number;
}

/** Texts with a title. */
export interface Message {
  title: string;
  text: string;
}

/** The sentence for a number of credits that is not sold. */
export const choose = ({ smallest, largest, unit }: Bounds, { credits }: Formats): string =>
  `Please choose between ${credits(smallest)} and ${credits(largest)} credits`
    + `${credits(unit) === "1" ? "" : `, in steps of ${credits(unit)}`}.`;

/** All texts of the elements. Replace some or all of them with `configure({ texts })`. */
export const TEXTS = {
  balance: "Balance",
  credits: (shown: string): string => (shown === "1" ? "credit" : "credits"),
  available: "Available",
  held: "Held",
  used: "Used so far",
  refresh: "Refresh",
  loading: "Loading…",
  low: "Running low",
  empty: "No credits left",
  owed: (credits: string): string => `${credits} owed: the next purchase fills that first.`,
  ends: (credits: string, at: string): string => `${credits} credits end on ${at}.`,
  balanceUnknown: "Your balance could not be loaded",
  tryAgain: "Try again",
  says: (available: string, held: string): string => `${available} available, ${held} held.`,

  quickAmounts: "Quick amounts",
  amount: "Number of credits",
  quote: "Quote",
  bonus: "Bonus",
  fee: "Processing fee",
  total: "Total",
  plusTax: " + tax",
  goodUntil: (at: string): string => `If paid now, good until ${at}.`,
  toPayment: "Continue to payment",
  opening: "Opening the payment page…",
  choose,

  checkoutFailed: "The checkout could not be opened",
  lookupFailed: "Your purchase could not be looked up",
  nothingCharged: "Nothing was charged.",
  confirming: { title: "Confirming your payment", text: "This usually takes a moment." } as Message,
  noNews: {
    title: "No news of your payment yet", text: "If you have paid, the credits arrive by themselves.",
  } as Message,
  checkAgain: "Check again",
  processing: { title: "Your bank is still working on it", text: "The credits arrive by themselves." } as Message,
  expired: { title: "The checkout has expired", text: "Nothing was charged." } as Message,
  failed: { title: "The payment failed", text: "No credits were added. You can try again." } as Message,
  paid: (session: Session, { credits, money }: Formats): Message => ({
    title: `${credits(session.credits + session.bonusCredits)} credits added`,
    text: `You paid ${money(charged(session), session.currency)}. Thank you.`,
  }),
  left: { title: "You left the checkout", text: "Your balance shows what has been paid." } as Message,
  leftOpen: (session: Session, { date }: Formats): Message => {
    const code = session.declineCode;
    const reason = code && Object.hasOwn(DECLINES, code) ? ` (${DECLINES[code]})` : "";
    const declined = `Your payment was declined${reason}; nothing was charged`;
    return {
      title: code ? declined : "You left the checkout; nothing was charged",
      text: `The checkout stays open until ${date(session.expiresAt)}.`,
    };
  },
  /** The sentence for an error. */
  error: (error: Error, formats: Formats): string => sentence(error, formats, BY_CODE),
};

export type Texts = typeof TEXTS;

/** What a session charged, with tax that came on top. */
const charged = ({ totalAmount, taxBehavior, taxAmount }: Session): number =>
  totalAmount + Number(taxBehavior === "exclusive" && taxAmount);

/** Decline codes that may be shown. Stripe advises against showing others, such as a card reported as stolen. */
export const DECLINES: Record<string, string> = {
  expired_card: "the card has expired", incorrect_cvc: "the security code is wrong",
  incorrect_number: "the card number is wrong", insufficient_funds: "insufficient funds",
};

/** Errors after which nothing was charged: no checkout was opened, or the customer was not sent to it. */
const NOTHING_CHARGED = ["checkout_unsettled", "provider_mismatch", "provider_no_url", "provider_rate_limited",
  "provider_refused", "provider_timeout", "provider_unavailable"];

/** Whether it is certain that nothing was charged. */
export const isNothingCharged = (error: Error): boolean =>
  error instanceof TopupError && NOTHING_CHARGED.includes(error.code);

function again(seconds = 0, { number }: Formats): string {
  if (seconds > 90) return `Please try again in ${number(Math.ceil(seconds / 60))} minutes.`;
  return seconds > 10 ? `Please try again in ${number(seconds)} seconds.` : "Please try again in a moment.";
}

/** Sentences by the code of an error; `{wait}` becomes the advice when to try again. */
const BY_CODE: Record<string, string> = {
  account_blocked: "This account is blocked. Please write to us.",
  amount_too_small: "A payment this small is not possible. Please choose more credits.",
  credits_held: "Your other credits are held for work that is still running. Please try again in a moment.",
  idempotency_key_in_use: "Your checkout is still being prepared. Please try again in a moment.",
  insufficient_credits: "You do not have enough credits for this. Please buy some more.",
  rate_limited: "That was a lot at once. {wait}",
  session_ended: "That checkout has ended. Please try again.",
  token_unavailable: "You are not logged in any more. Please reload the page.",
  too_many_open_checkouts: "You have many unfinished checkouts. Finish one of them first. {wait}",
};

/** Unknown codes fall back to the status, because a newer service may send others. */
export function sentence(error: Error, formats: Formats, byCode: Record<string, string>): string {
  if (!(error instanceof TopupError)) return `Something went wrong on our side. ${again(undefined, formats)}`;
  const { code, status, retryAfterSeconds, requestId } = error;
  const wait = again(retryAfterSeconds, formats);
  if (Object.hasOwn(byCode, code)) return `${byCode[code]}`.replace("{wait}", wait);
  if (status === 0) return "We cannot be reached. Please check your connection and try again.";
  if (status === 401 || status === 403) return "You are not logged in any more. Please reload the page.";
  if (status === 404) return "We do not know this purchase.";
  if ([429, 502, 503, 504].includes(status)) return wait;
  const mention = requestId ? ` If you write to us, please mention ${requestId}.` : "";
  return `Something went wrong on our side. ${wait}${mention}`;
}
