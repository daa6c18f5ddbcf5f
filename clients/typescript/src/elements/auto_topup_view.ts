// What `<auto-topup>` says: the state in words, the rules in force, the last charges.

import type { AutoTopup, SavedCard } from "../api.js";
import type { AutoTopupState } from "../page/auto_topup.js";
import type { AutoTopupTexts } from "../page/auto_topup_texts.js";
import type { Formats } from "../page/texts.js";
import { h } from "./dom.js";

/** What a customer is told, and what they can do about it. */
export interface Told {
  name: "error" | "paused" | "running" | "news" | "idle";
  title: string;
  text: string;
  /** A page to go to: its address, or one that has to be opened first. */
  action?: { label: string; href: string } | { label: string; opens: "card" | "confirmation" } | undefined;
}

/** The message for a state. `news` is what the customer has just done. */
export function toldOf(
  { autoTopup, cards, error, changeError }: AutoTopupState,
  news: string,
  texts: AutoTopupTexts,
  format: Formats,
): Told {
  if (error && !autoTopup) return { name: "error", title: texts.unknown, text: texts.error(error, format) };
  if (error && !cards) return { name: "error", title: texts.cardsUnknown, text: texts.error(error, format) };
  if (changeError) return { name: "error", title: texts.error(changeError, format), text: "" };
  if (autoTopup?.state === "paused") return { name: "paused", title: "", ...why(autoTopup, texts, format) };
  const hasNoCard = cards?.length === 0;
  if (hasNoCard && autoTopup?.state === "off") {
    const action = { label: texts.saveCard, opens: "card" } as const;
    return { name: "idle", title: news, text: `${texts.explanation} ${texts.needsCard}`, action };
  }
  if (autoTopup?.attempts[0]?.outcome === "running") return { name: "running", title: news, text: texts.running };
  if (autoTopup?.state === "off") return { name: "idle", title: news, text: texts.explanation };
  return news ? { name: "news", title: news, text: "" } : { name: "idle", title: "", text: "" };
}

function why(
  { reason, resumesAt, action }: AutoTopup,
  texts: AutoTopupTexts,
  format: Formats,
): Pick<Told, "text" | "action"> {
  const sentence = (reason && texts.reasons[reason]) ?? texts.otherReason;
  const text = resumesAt ? `${sentence} ${texts.resumes(format.date(resumesAt))}` : sentence;
  if (reason === "authentication_required") {
    const label = texts.confirm;
    return { text, action: action ? { label, href: action.url } : { label, opens: "confirmation" } };
  }
  const needsCard = reason === "no_card" || reason === "card_expired" || reason === "card_declined";
  return { text, action: needsCard ? { label: texts.saveCard, opens: "card" } : undefined };
}

/** The lines of the rules in force. */
export function ruleLines(
  { rules, chargesToday, chargedThisMonthMinor, currency }: AutoTopup,
  cards: SavedCard[],
  texts: AutoTopupTexts,
  format: Formats,
): HTMLElement[] {
  if (!rules) return [];
  const card = rules.paymentMethodId
    ? cards.find(({ id }) => id === rules.paymentMethodId)
    : cards.find(({ isDefault }) => isDefault) ?? cards[0];
  const money = (amount: number) => format.money(amount, currency);
  const lines: [string, string, string][] = [
    ["when", texts.when, texts.whenBelow(format.credits(rules.thresholdCredits))],
    ["buys", texts.buys, texts.buysCredits(format.credits(rules.credits))],
    ["per-day", texts.atMost, texts.perDay(format.number(rules.maxPerDay), format.number(chargesToday))],
    ["per-month", texts.atMost, texts.perMonth(money(rules.maxPerMonthMinor), money(chargedThisMonthMinor))],
    ["card", texts.paysWith, card ? `${texts.card(card.brand, card.last4)}, ${texts.cardEnds(card)}` : "–"],
    ["agreed", texts.agreed, format.date(rules.consent.givenAt)],
  ];
  return lines.map(([id, term, text]) => h("div", {}, h("dt", {}, term), h("dd", { id }, text)));
}

/** The last charges, newest first. */
export function attemptLines({ attempts }: AutoTopup, texts: AutoTopupTexts, format: Formats): HTMLElement[] {
  return attempts.map((attempt) => {
    const { outcome, code, startedAt, cardBrand, cardLast4 } = attempt;
    const reason = code && Object.hasOwn(texts.declines, code) ? ` (${texts.declines[code]})` : "";
    const words = `${texts.outcomes[outcome] ?? outcome}${reason}`;
    return h("li", {},
      h("span", {}, `${texts.attempt(attempt, format)}, `, h("b", {}, words)),
      h("span", { class: "note" }, `${format.date(startedAt)}, ${texts.card(cardBrand, cardLast4)}`));
  });
}
