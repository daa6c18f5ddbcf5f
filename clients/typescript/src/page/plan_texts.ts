// What customers read of plans. The API's own messages are for developers and are never shown.

import type { ChangePreview, Plan, Subscription } from "../api.js";
import { type Formats, sentence } from "./texts.js";

type Price = Plan["prices"][number];
type Due = NonNullable<Subscription["due"]>;

/** A period in words: "a month", "every 3 months". */
const every = ({ interval, intervalCount }: Plan): string =>
  (intervalCount === 1 ? `a ${interval}` : `every ${intervalCount} ${interval}s`);

/** All texts of `<manage-plan>`. Replace some or all of them with `configure({ texts })`. */
export const PLAN_TEXTS = {
  tryAgain: "Try again",
  loading: "Loading…",
  working: "One moment…",
  cancel: "Not now",

  title: "Plan",
  states: {
    trialing: "Trial", active: "Active", past_due: "Payment due", unpaid: "Not paid", paused: "Paused", ending: "Ending",
  } as Record<string, string>,
  unavailable: "There are no plans at the moment.",
  unknown: "Your plan could not be loaded",
  subscribed: "Thank you. Your plan starts as soon as the payment has arrived.",
  back: "Thank you. It may take a moment until your changes show here.",
  changed: "Your plan is changed.",
  changesLater: "Your plan changes with the next period.",
  canceled: "Your plan is cancelled.",
  resumed: "Your plan goes on.",

  current: "Your plan",
  otherPlan: "A plan that is not sold any more",
  credits: ({ creditsPerPeriod }: Plan, { credits }: Formats): string => `${credits(creditsPerPeriod)} credits`,
  price: (plan: Plan, { totalAmount, currency, taxBehavior }: Price, { money }: Formats): string =>
    `${money(totalAmount, currency)}${taxBehavior === "exclusive" ? " + tax" : ""} ${every(plan)}`,
  trial: ({ trialDays, trialCredits }: Plan, { number, credits }: Formats): string => {
    const days = `${number(trialDays)} ${trialDays === 1 ? "day" : "days"} free`;
    return trialCredits > 0 ? `${days} with ${credits(trialCredits)} credits` : days;
  },
  rollover: ({ rollover, rolloverCap }: Plan, { credits }: Formats): string => {
    if (rollover === "keep") return "Unused credits stay.";
    const isCapped = rollover === "cap" && rolloverCap != null;
    return isCapped ? `Up to ${credits(rolloverCap)} unused credits stay.` : "Unused credits end with the period.";
  },
  renews: "Renews",
  firstPayment: "First payment",
  ends: "Ends",
  then: "Then",

  subscribe: "Subscribe",
  startTrial: "Start free trial",
  change: "Change to this plan",
  keep: "Keep the present plan",
  cancelPlan: "Cancel plan",
  resume: "Resume plan",
  portal: "Cards and invoices",

  willCancel: (at: string): string => `Your plan stays until ${at}, and nothing is charged any more. Cancel it?`,
  willChange: (plan: Plan, { takesEffect, effectiveAt, amountDue, periodAmount, currency }: ChangePreview,
    { money, date }: Formats): string => {
    const later = `${money(periodAmount, currency)} ${every(plan)}`;
    if (takesEffect !== "now") return `${plan.name} begins ${date(effectiveAt)}: ${later}. Nothing is paid now.`;
    const now = amountDue < 0
      ? `${money(-amountDue, currency)} are kept for your next invoices`
      : `you pay ${money(amountDue, currency)} now`;
    return `${plan.name} begins now: ${now}, then ${later}.`;
  },
  confirmChange: "Change plan",

  due: ({ amount, currency, attempt, nextAttemptAt, actionRequired }: Due, { money, date, number }: Formats): string => {
    const sum = money(amount, currency);
    if (actionRequired) return `Your bank wants you to confirm the payment of ${sum}.`;
    const tries = attempt > 1 ? ` ${number(attempt)} times` : "";
    const next = nextAttemptAt ? ` It is tried again ${date(nextAttemptAt)}.` : "";
    return `The payment of ${sum} failed${tries}.${next}`;
  },
  overdue: "Your last payment failed.",
  pending: "Your change waits for its payment.",
  pay: "Pay now",
  confirm: "Confirm the payment",
  anotherCard: "Use another card",

  /** The sentence for an error. */
  error: (error: Error, formats: Formats): string => sentence(error, formats, BY_CODE),
};

export type PlanTexts = typeof PLAN_TEXTS;

const BY_CODE: Record<string, string> = {
  account_blocked: "This account is blocked. Please write to us.",
  change_pending: "An earlier change is still under way.",
  change_refused: "The payment was refused, so your plan is as it was.",
  plan_not_for_sale: "This plan is not sold in your currency.",
  portal_cannot_change: "Please change your plan here.",
  subscription_exists: "You have a plan already. Please reload the page.",
  subscription_not_running: "This plan has ended. Please reload the page.",
  subscription_past_due: "Please pay what is due first.",
  token_unavailable: "You are not logged in any more. Please reload the page.",
};
