// What customers read of auto top-up. The API's own messages are for developers and are never shown.

import type { AutoTopup, SavedCard } from "../api.js";
import { choose, DECLINES, type Formats, sentence } from "./texts.js";

/** What a customer agrees to, as far as the form has valid numbers. */
export interface Agreed {
  thresholdCredits: number | undefined;
  credits: number | undefined;
  maxPerDay: number | undefined;
  maxPerMonthMinor: number | undefined;
  currency: string;
}

type Attempt = AutoTopup["attempts"][number];

/** All texts of `<auto-topup>`. Replace some or all of them with `configure({ texts })`. */
export const AUTO_TOPUP_TEXTS = {
  tryAgain: "Try again",
  change: "Change",
  cancel: "Cancel",

  autoTopup: "Automatic top-up",
  isNow: (state: string): string => `Automatic top-up is ${state.toLowerCase()}.`,
  states: { active: "On", paused: "Paused", off: "Off" },
  unavailable: "Automatic top-up is not offered here.",
  unknown: "Your automatic top-up could not be loaded",
  cardsUnknown: "Your saved cards could not be loaded",
  explanation: "Credits are bought by themselves when they run low.",
  needsCard: "Save a card first.",
  saveCard: "Save a card",
  anotherCard: "Save another card",
  turnOn: "Turn on",
  keep: "Save changes",
  turnOff: "Turn off",
  cardSaved: "Your card is saved.",
  back: "Thank you. It may take a moment to show here.",
  running: "Your card is being charged.",

  when: "When",
  whenBelow: (credits: string): string => `fewer than ${credits} credits are available`,
  buys: "Buys",
  buysCredits: (credits: string): string => `${credits} credits`,
  atMost: "At most",
  perDay: (most: string, used: string): string => `${most} a day (today ${used})`,
  perMonth: (most: string, used: string): string => `${most} a month (so far ${used})`,
  paysWith: "Card",
  card: (brand: string, last4: string): string =>
    `${BRANDS[brand] ?? brand[0]?.toUpperCase() + brand.slice(1)} …${last4}`,
  cardEnds: ({ expMonth, expYear, isExpired }: SavedCard): string =>
    `${isExpired ? "expired " : ""}${expMonth}/${expYear}`,
  defaultCard: "Default card",
  agreed: "Agreed",

  thresholdCredits: "When fewer credits than this are available",
  credits: "Buy so many credits",
  price: (money: string): string => `Costs ${money} today, with all fees.`,
  maxPerDay: "Most charges a day",
  maxPerMonth: (currency: string): string => `Most money a month (${currency.toUpperCase()})`,
  paymentMethodId: "Card to charge",
  consent: ({ thresholdCredits, credits, maxPerDay, maxPerMonthMinor, currency }: Agreed, format: Formats): string => {
    const count = (value: number | undefined) => (value === undefined ? "…" : format.credits(value));
    const times = maxPerDay === undefined ? "…" : format.number(maxPerDay);
    const most = maxPerMonthMinor === undefined ? "…" : format.money(maxPerMonthMinor, currency);
    return `I agree that my saved card is charged for ${count(credits)} credits, at their price on that day, each time `
      + `fewer than ${count(thresholdCredits)} credits are available: at most ${times} times a day and ${most} a month. `
      + "I can turn this off here at any time.";
  },

  wrongThreshold: "Please enter a whole number of credits, 1 or more.",
  wrongCredits: choose,
  wrongPerDay: "Please choose between 1 and 100.",
  wrongPerMonth: (price: string | undefined): string =>
    (price ? `Please allow at least ${price}, the price of one purchase.` : "Please enter an amount."),
  wrongCard: "Please choose a card that has not expired.",
  noConsent: "Please agree first.",
  checkFields: "Please check the marked fields.",

  reasons: {
    declined: "Your bank declined the charge.",
    card_declined: "Your bank declined the charge for good. Save another card and turn it on again.",
    authentication_required: "Your bank wants you to confirm the payment.",
    card_expired: "Your card has expired. Save or choose another one.",
    no_card: "No card is saved any more. Save one, and it goes on.",
    daily_limit: "Your limit for today is reached.",
    monthly_limit: "Your limit for this month is reached.",
    disputed: "A payment was disputed. Turn it on again to go on.",
    refunded: "An automatic payment was refunded. Turn it on again to go on.",
    not_for_sale: "This number of credits can no longer be bought. Choose another one.",
    provider_refused: "The charge was not possible. Turn it on again, or write to us.",
  } as Record<string, string>,
  otherReason: "It does not go on at the moment.",
  resumes: (at: string): string => `It goes on ${at}.`,
  confirm: "Confirm the payment",

  attempts: "Last charges",
  attempt: ({ credits, bonusCredits, totalAmount, currency }: Attempt, format: Formats): string =>
    `${format.credits(credits + bonusCredits)} credits for ${format.money(totalAmount, currency)}`,
  outcomes: {
    running: "under way", paid: "paid", declined: "declined", refused: "not possible",
  } as Record<string, string>,
  declines: DECLINES,

  /** The sentence for an error. */
  error: (error: Error, formats: Formats): string => sentence(error, formats, BY_CODE),
};

export type AutoTopupTexts = typeof AUTO_TOPUP_TEXTS;

/** Brands that are not written as Stripe names them, with a capital letter. */
const BRANDS: Record<string, string> = { amex: "American Express", jcb: "JCB", unionpay: "UnionPay" };

const BY_CODE: Record<string, string> = {
  account_blocked: "This account is blocked. Please write to us.",
  recovery_not_needed: "There is nothing to confirm any more.",
  token_unavailable: "You are not logged in any more. Please reload the page.",
};
