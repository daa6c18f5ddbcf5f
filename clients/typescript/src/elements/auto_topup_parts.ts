import type { AutoTopupTexts } from "../page/auto_topup_texts.js";
import { button, h } from "./dom.js";

/** What stands in `<auto-topup>`. */
export type AutoTopupParts = ReturnType<typeof autoTopupParts>;

/** The fields of the form, by the API's names. */
export const FIELDS =
  ["thresholdCredits", "credits", "maxPerDay", "maxPerMonthMinor", "paymentMethodId", "consent"] as const;
export type Field = (typeof FIELDS)[number];

export function autoTopupParts(texts: AutoTopupTexts) {
  const state = h("span", { id: "state", part: "state" });
  const top = h("div", { class: "top" }, h("span", { id: "title", part: "label" }, texts.autoTopup), state);
  // Present from the start, so that screen readers observe it when the first message arrives.
  const status = h("div", { id: "status", part: "status", role: "status", tabindex: "-1" });
  const rules = h("dl", { id: "rules", part: "rules", hidden: true });
  const change = link("change", texts.change);
  const turnOff = link("turn-off", texts.turnOff);
  const actions = h("p", { class: "actions", hidden: true }, change, turnOff);
  const attempts = h("ul", {});
  const history = h("details", { id: "attempts", part: "attempts", hidden: true },
    h("summary", {}, texts.attempts), attempts);
  const retry = link("retry", texts.tryAgain);
  retry.hidden = true;
  const form = formParts(texts);
  const group = h("div", { role: "group", "aria-labelledby": "title", part: "panel" },
    top, status, rules, actions, form.form, history, retry);
  return { group, state, status, rules, change, turnOff, actions, attempts, history, retry, ...form };
}

function formParts(texts: AutoTopupTexts) {
  const number = (id: Field, mode: string) =>
    h("input", { id, part: "input", type: "number", inputmode: mode, min: "0", step: "any", autocomplete: "off" });
  const inputs = {
    thresholdCredits: number("thresholdCredits", "decimal"),
    credits: number("credits", "decimal"),
    maxPerDay: number("maxPerDay", "numeric"),
    maxPerMonthMinor: number("maxPerMonthMinor", "decimal"),
    paymentMethodId: h("select", { id: "paymentMethodId", part: "input" }),
    consent: h("input", { id: "consent", type: "checkbox", part: "checkbox" }),
  };
  const problems = Object.fromEntries(FIELDS.map((field) => {
    inputs[field].required = true;
    inputs[field].setAttribute("aria-describedby", `${field}-problem${field === "credits" ? " price" : ""}`);
    return [field, h("p", { id: `${field}-problem`, part: "problem", class: "alarm" })];
  })) as unknown as Record<Field, HTMLElement>;
  const label = (field: Field, text = "") => h("label", { for: field, part: "field-label" }, text);
  const monthLabel = label("maxPerMonthMinor");
  const line = (field: "thresholdCredits" | "credits" | "maxPerDay" | "paymentMethodId", ...more: Node[]) =>
    h("div", {}, label(field, texts[field]), inputs[field], ...more, problems[field]);
  const price = h("p", { id: "price", part: "price", class: "note", "aria-live": "polite" });
  const anotherCard = link("another-card", texts.anotherCard);
  const builtIn = h("span", { part: "consent" });
  const consentSlot = h("slot", { name: "consent" }, builtIn);
  const formProblem = h("p", { id: "form-problem", part: "problem", class: "alarm", role: "alert" });
  const submit = h("button", { id: "submit", class: "primary", part: "button", type: "submit" }, texts.turnOn);
  const cancel = link("cancel", texts.cancel);
  const fields = h("fieldset", { part: "form", "aria-labelledby": "title" },
    line("thresholdCredits"),
    line("credits", price),
    h("div", { class: "two" },
      line("maxPerDay"), h("div", {}, monthLabel, inputs.maxPerMonthMinor, problems.maxPerMonthMinor)),
    line("paymentMethodId", anotherCard),
    h("div", { class: "consent" }, inputs.consent, h("label", { for: "consent" }, consentSlot)), problems.consent,
    submit, cancel);
  const form = h("form", { id: "form", novalidate: true, hidden: true }, fields, formProblem);
  return { form, fields, inputs, problems, monthLabel, price, anotherCard, builtIn, formProblem, submit, cancel };
}

/** A button that looks like a link; what it does comes later. */
function link(id: string, label: string): HTMLButtonElement {
  return Object.assign(button(label, "link", () => {}), { id, className: "quiet" });
}
