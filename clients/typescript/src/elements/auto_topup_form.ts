// The form of `<auto-topup>`: what it shows at first, what its fields say, and what is wrong with them.

import type { AutoTopup, Quote, SavedCard } from "../api.js";
import { TopupError } from "../errors.js";
import { minorDigits, parseCredits } from "../format.js";
import type { AutoTopupRules } from "../page/auto_topup.js";
import type { Agreed, AutoTopupTexts } from "../page/auto_topup_texts.js";
import type { Formats } from "../page/texts.js";
import { type AutoTopupParts, type Field, FIELDS } from "./auto_topup_parts.js";
import { h, integer, write } from "./dom.js";

/** What the form needs to know besides its fields. */
export interface FormContext {
  parts: AutoTopupParts;
  texts: AutoTopupTexts;
  format: Formats;
  /** What can be bought, and how it is counted. */
  offer: Quote;
  /** The currency that is paid in. */
  currency: string;
  cards: SavedCard[];
}

const decimalsOf = (value: number, decimals: number): string => Number(`${value}e-${decimals}`).toString();

/** Fills the form with the rules in force, or with what the page suggests. */
export function fill(host: HTMLElement, rules: AutoTopup["rules"], form: FormContext): void {
  const { parts, texts, offer, currency } = form;
  const { inputs } = parts;
  const { creditDisplayDecimals: decimals, smallestCredits, largestCredits, creditUnitCredits } = offer;
  const suggested = (name: string) => integer(host, name);
  const set = (field: Exclude<Field, "consent" | "paymentMethodId">, value: number | undefined, digits: number) => {
    inputs[field].value = value === undefined ? "" : decimalsOf(value, digits);
  };
  set("thresholdCredits", rules?.thresholdCredits ?? suggested("threshold"), decimals);
  set("credits", rules?.credits ?? suggested("credits") ?? smallestCredits, decimals);
  set("maxPerDay", rules?.maxPerDay ?? suggested("max-per-day") ?? 3, 0);
  set("maxPerMonthMinor", rules?.maxPerMonthMinor ?? suggested("max-per-month-minor"), minorDigits(currency));
  Object.assign(inputs.credits, {
    min: decimalsOf(smallestCredits, decimals), max: decimalsOf(largestCredits, decimals),
    step: decimalsOf(creditUnitCredits, decimals),
  });
  write(parts.monthLabel, texts.maxPerMonth(currency));
  inputs.consent.checked = false;
  inputs.paymentMethodId.value = rules?.paymentMethodId ?? "";
  showProblems(parts, {});
}

/** Shows the cards that can be chosen. A choice that is still there stays. */
export function fillCards({ parts, texts, cards }: FormContext): void {
  const { paymentMethodId: select } = parts.inputs;
  const chosen = select.value;
  const name = (card: SavedCard) => `${texts.card(card.brand, card.last4)}, ${texts.cardEnds(card)}`;
  const main = cards.find(({ isDefault }) => isDefault) ?? cards[0];
  const first = h("option", { value: "" }, main ? `${texts.defaultCard} (${name(main)})` : texts.defaultCard);
  if (select.dataset["cards"] === JSON.stringify(cards)) return; // it may be open
  select.dataset["cards"] = JSON.stringify(cards);
  const others = cards.map((card) => h("option", { value: card.id, disabled: card.isExpired }, name(card)));
  select.replaceChildren(first, ...others);
  select.value = cards.some(({ id }) => id === chosen) ? chosen : "";
}

/** The numbers of the form that are valid by themselves. */
export function numbers({ parts: { inputs }, offer, currency }: FormContext): Agreed {
  const valid = (number: number, smallest: number, largest: number) =>
    (number >= smallest && number <= largest ? number : undefined);
  const { creditDisplayDecimals: decimals, smallestCredits, largestCredits, creditUnitCredits } = offer;
  const credits = parseCredits(inputs.credits.value, decimals);
  return {
    thresholdCredits: valid(parseCredits(inputs.thresholdCredits.value, decimals), 1, Number.MAX_SAFE_INTEGER),
    credits: credits % creditUnitCredits === 0 ? valid(credits, smallestCredits, largestCredits) : undefined,
    maxPerDay: valid(parseCredits(inputs.maxPerDay.value), 1, 100),
    maxPerMonthMinor:
      valid(parseCredits(inputs.maxPerMonthMinor.value, minorDigits(currency)), 1, Number.MAX_SAFE_INTEGER),
    currency,
  };
}

/** The card that is charged: the one chosen, or the default, or the newest. */
export function chosenCard({ cards, parts: { inputs } }: FormContext): SavedCard | undefined {
  const id = inputs.paymentMethodId.value;
  return cards.find((card) => card.id === id) ?? cards.find(({ isDefault }) => isDefault) ?? cards[0];
}

export type Problems = Partial<Record<Field, string>>;

/** The sentence for a field that is not as it has to be. `price` is that of one purchase, if it is known. */
function sentenceFor(field: Field, { texts, format, offer, currency }: FormContext, price: number | undefined): string {
  const { smallestCredits: smallest, largestCredits: largest, creditUnitCredits: unit } = offer;
  switch (field) {
    case "thresholdCredits": return texts.wrongThreshold;
    case "credits": return texts.wrongCredits({ smallest, largest, unit }, format);
    case "maxPerDay": return texts.wrongPerDay;
    case "maxPerMonthMinor":
      return texts.wrongPerMonth(price === undefined ? undefined : format.money(price, currency));
    case "paymentMethodId": return texts.wrongCard;
    case "consent": return texts.noConsent;
  }
}

/** The rules of the form, or what is wrong with it. */
export function read(form: FormContext, price: number | undefined): { rules: AutoTopupRules } | { problems: Problems } {
  const { thresholdCredits, credits, maxPerDay, maxPerMonthMinor, currency } = numbers(form);
  const { consent, paymentMethodId: select } = form.parts.inputs;
  const chosen = chosenCard(form);
  const wrong: Record<Field, boolean> = {
    thresholdCredits: thresholdCredits === undefined,
    credits: credits === undefined,
    maxPerDay: maxPerDay === undefined,
    maxPerMonthMinor: maxPerMonthMinor === undefined || (price !== undefined && maxPerMonthMinor < price),
    paymentMethodId: !chosen || chosen.isExpired,
    consent: !consent.checked,
  };
  const fields = FIELDS.filter((field) => wrong[field]);
  if (fields.length > 0) {
    return { problems: Object.fromEntries(fields.map((field) => [field, sentenceFor(field, form, price)])) };
  }
  const numbersOfForm = { thresholdCredits, credits, maxPerDay, maxPerMonthMinor, currency } as AutoTopupRules;
  return { rules: select.value === "" ? numbersOfForm : { ...numbersOfForm, paymentMethodId: select.value } };
}

/** What the service says is wrong with fields of this form. */
export function refused(error: Error | undefined, form: FormContext, price: number | undefined): Problems {
  if (!(error instanceof TopupError)) return {};
  const named = error.fieldErrors.map(({ field }) => FIELDS.find((known) => known === field.split(".")[0]));
  const isCard = error.code === "no_saved_card" || error.code === "card_expired";
  const fields = [...named, isCard ? ("paymentMethodId" as const) : undefined].filter((field) => field !== undefined);
  return Object.fromEntries(fields.map((field) => [field, sentenceFor(field, form, price)]));
}

/** Shows what is wrong beside the fields. Returns the first of them. */
export function showProblems({ inputs, problems }: AutoTopupParts, told: Problems): HTMLElement | undefined {
  for (const field of FIELDS) {
    write(problems[field], told[field] ?? "");
    inputs[field].setAttribute("aria-invalid", String(told[field] !== undefined));
  }
  const first = FIELDS.find((field) => told[field] !== undefined);
  return first && inputs[first];
}
