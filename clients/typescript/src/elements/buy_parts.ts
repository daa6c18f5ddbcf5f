import type { Quote } from "../api.js";
import type { Formats, Texts } from "../page/texts.js";
import { h } from "./dom.js";

/** The texts of a quote, by the id of the place where they stand. */
export const QUOTED: Record<string, (quote: Quote, format: Formats, texts: Texts) => string> = {
  "quote-credits": ({ credits }, format, texts) =>
    `${format.credits(credits)} ${texts.credits(format.credits(credits))}`,
  "quote-price": ({ creditsAmount, currency }, format) => format.money(creditsAmount, currency),
  "quote-bonus": ({ bonusCredits }, format) => `+${format.credits(bonusCredits)}`,
  "quote-fee": ({ feeAmount, currency }, format) => format.money(feeAmount, currency),
  "quote-total": ({ totalAmount, currency, taxBehavior }, format, texts) =>
    format.money(totalAmount, currency) + (taxBehavior === "exclusive" ? texts.plusTax : ""),
};

/** What stands in `<buy-credits>`. */
export type BuyParts = ReturnType<typeof buyParts>;

export function buyParts(texts: Texts) {
  // Present from the start, so that screen readers observe it when the first message arrives.
  const status = h("div", { id: "status", part: "status", role: "status", "data-state": "idle" });
  const group = { role: "group", "aria-label": texts.quickAmounts };
  const quick = h("div", { class: "quick", part: "amounts", hidden: true, ...group });
  const credits = h("input", {
    id: "credits", part: "input", type: "number", inputmode: "decimal", required: true, autocomplete: "off",
    "aria-describedby": "quote-problem",
  });
  const problem = h("p", { id: "quote-problem", part: "problem", class: "alarm", "aria-live": "polite" });
  const lines: Record<string, HTMLElement> = {
    "quote-credits": h("dt", { id: "quote-credits" }, "–"),
    "quote-total": h("output", { id: "quote-total", for: "credits" }, "–"),
  };
  for (const id of ["quote-price", "quote-bonus", "quote-fee"]) lines[id] = h("dd", { id }, "–");
  const bonusLine = h("div", { id: "quote-bonus-line", hidden: true }, h("dt", {}, texts.bonus), lines["quote-bonus"]);
  const feeLine = h("div", { id: "quote-fee-line" }, h("dt", {}, texts.fee), lines["quote-fee"]);
  const until = h("p", { id: "quote-until", part: "until", class: "note" });
  const quote = h("dl", { id: "quote", part: "quote", "aria-label": texts.quote, "aria-busy": "true" },
    h("div", {}, lines["quote-credits"], lines["quote-price"]),
    bonusLine,
    feeLine,
    h("div", { class: "total", part: "total" }, h("dt", {}, texts.total), h("dd", {}, lines["quote-total"])));
  const buy = h("button", { id: "buy", part: "button", type: "submit", disabled: true }, texts.toPayment);
  const purchase = h("fieldset", { id: "purchase", part: "form", disabled: true },
    quick, h("label", { for: "credits", part: "label" }, texts.amount), credits, problem, quote, until, buy);
  const form = h("form", { id: "form", novalidate: true }, purchase);
  const retry = h("button", { id: "retry", part: "link", class: "quiet", type: "button", hidden: true }, texts.tryAgain);
  return { status, form, retry, purchase, quick, credits, problem, quote, lines, bonusLine, feeLine, until, buy };
}
