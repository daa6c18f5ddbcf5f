// What `<manage-plan>` says: the state in words, the running plan, the plans to choose from.

import type { Plan } from "../api.js";
import type { PlanState } from "../page/plan.js";
import type { PlanTexts } from "../page/plan_texts.js";
import type { Formats } from "../page/texts.js";
import { h } from "./dom.js";

/** What the lines are written with. */
export interface PlanContext {
  texts: PlanTexts;
  format: Formats;
  /** The currency whose prices are shown. */
  currency: string;
}

/** A message, and what can be done about it: a page to go to, or one that is opened first. */
export interface PlanMessage {
  name: "error" | "due" | "news" | "idle";
  title: string;
  text: string;
  pay?: { label: string; href: string } | undefined;
  /** Whether another card may help. */
  needsCard?: boolean;
}

const IDLE: PlanMessage = { name: "idle", title: "", text: "" };

/** The message for a state. `news` is what the customer has just done. */
export function messageOf(state: PlanState, news: string, { texts, format }: PlanContext): PlanMessage {
  const { plans, subscription, error, changeError } = state;
  if (error && !plans) return { name: "error", title: texts.unknown, text: texts.error(error, format) };
  if (changeError) return { name: "error", title: texts.error(changeError, format), text: "" };
  const isLate = subscription?.status === "past_due" || subscription?.status === "unpaid";
  if (subscription && (subscription.due || isLate || subscription.updatePending)) {
    const { due } = subscription;
    const title = subscription.updatePending ? texts.pending : texts.states["past_due"] ?? "";
    const label = due?.actionRequired ? texts.confirm : texts.pay;
    return {
      name: "due", title, text: due ? texts.due(due, format) : isLate ? texts.overdue : "",
      pay: due?.payUrl ? { label, href: due.payUrl } : undefined, needsCard: !due?.actionRequired,
    };
  }
  if (plans?.length === 0 && !subscription) return { ...IDLE, text: texts.unavailable };
  return news ? { name: "news", title: news, text: "" } : IDLE;
}

/** The price of a plan in the page's currency, or the first one. */
const priceOf = ({ prices }: Plan, currency: string) => prices.find((price) => price.currency === currency) ?? prices[0];

const priceText = (plan: Plan, { texts, format, currency }: PlanContext): string => {
  const price = priceOf(plan, currency);
  return price ? texts.price(plan, price, format) : "";
};

/** The lines about the running subscription. */
export function currentLines({ plans, plan, subscription }: PlanState, context: PlanContext): HTMLElement[] {
  if (!subscription) return [];
  const { texts, format } = context;
  const { cancelAt, periodEnd, status, trialEnd, nextPlanId } = subscription;
  const next = nextPlanId == null ? undefined : plans?.find(({ id }) => id === nextPlanId)?.name ?? nextPlanId;
  const isTrial = status === "trialing" && trialEnd;
  const end = cancelAt
    ? ["ends", texts.ends, format.date(cancelAt)]
    : ["renews", isTrial ? texts.firstPayment : texts.renews, periodEnd ? format.date(periodEnd) : "–"];
  const lines = [
    ["current", texts.current, plan?.name ?? texts.otherPlan],
    ["price", "", plan ? `${priceText(plan, context)}, ${texts.credits(plan, format)}` : ""],
    end,
    ["next", texts.then, cancelAt ? "" : next ?? ""],
  ] as const;
  return lines.filter(([, , text]) => text).map(([id, term, text]) =>
    h("div", {}, h("dt", {}, term), h("dd", { id }, text)));
}

/** A plan to choose. */
export function planLine(
  plan: Plan,
  { subscription }: PlanState,
  choose: HTMLElement | undefined,
  context: PlanContext,
): HTMLElement {
  const { texts, format } = context;
  const isCurrent = subscription?.planId === plan.id;
  return h("li", { part: isCurrent ? "plan current" : "plan", "data-plan": plan.id },
    h("div", { class: "top" }, h("b", { id: `plan-${plan.id}` }, plan.name), h("span", {}, priceText(plan, context))),
    h("p", { class: "note" }, `${texts.credits(plan, format)}. ${texts.rollover(plan, format)}`),
    plan.trialDays > 0 && !subscription ? h("p", { class: "note" }, texts.trial(plan, format)) : undefined,
    choose ?? (isCurrent ? h("p", { class: "mark" }, texts.current) : undefined));
}
