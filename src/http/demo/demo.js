// The demo page: how a web page sells credits. The meter and the form are the elements of `clients/typescript`, which
// every service has at `/elements.js`. This file tells them who the customer is, and shows the ledger. How credits are
// spent is in `spending.js`.

import { TopupError, client, configure, formatCredits, refreshBalance } from "/elements.js";

export const $ = (id) => document.getElementById(id);
export const meter = document.querySelector("credits-meter");
export const shop = document.querySelector("buy-credits");

// ---- Login ----

let token; // a promise, so that parallel calls share one login; in memory only, never in browser storage

/** Stands in for your own login, where your backend signs a token whose subject is the account. Not public API. */
async function logIn() {
  const headers = { "content-type": "application/json" };
  const response = await fetch("/demo/token", { method: "POST", headers, body: "{}" });
  if (!response.ok) throw new Error(`the demo's login answered ${response.status}`);
  return (await response.json()).token;
}

/** The customer's token; a new one if the service does not take the old one any more. */
export function customerToken({ refresh = false } = {}) {
  if (refresh) token = undefined;
  return (token ??= logIn().catch((error) => {
    token = undefined;
    throw error;
  }));
}

configure({ baseUrl: location.origin, token: customerToken, texts: { used: "Written so far" } });

// ---- Numbers and times ----

// The API counts credits in integers. Some of their digits may be decimals for people: with 2, 250 is shown as 2.50.
const decimals = Number(document.body.dataset.creditDecimals);

export const showCredits = (credits, signed = false) => formatCredits(credits, { decimals, locale: "en", signed });
export const dateAndTime = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
export const timeOfDay = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

// ---- Balance and ledger ----

export { TopupError, client };

/** Reads the balance again; the meter tells problems. */
export const refresh = () => refreshBalance();

export const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
export const button = (label, onclick) => element("button", { type: "button", className: "quiet", onclick }, label);

const KINDS = {
  topup: "Top-up", reversal: "Refund or dispute", adjustment: "Adjustment", spend: "Spent", spend_refund: "Given back",
  bonus: "Bonus", promotion: "Present", expiry: "Expired", void: "Ended early", subscription: "Plan",
  subscription_reversal: "Refund or dispute",
};
const REASONS = {
  refund: "Refund", refund_failed: "Refund failed, credits returned", dispute: "Dispute",
  dispute_won: "Dispute won, credits returned", dispute_returned: "Disputed money came back",
};

/** Shows an unknown kind as it is, because the API may add kinds, and leaves a missing source out. */
function ledgerRow({ kind, reason, credits, balanceAfter, createdAt, source }) {
  const time = element("span", { className: "detail" }, dateAndTime.format(new Date(createdAt)));
  const reference = source ? element("span", { className: "detail reference" }, source) : "";
  return element("tr", {},
    element("td", {}, REASONS[reason] ?? KINDS[kind] ?? kind, time, reference),
    element("td", { className: credits > 0 ? "gain" : "" }, showCredits(credits, true)),
    element("td", {}, showCredits(balanceAfter)));
}

let ledgerCount = 0;

async function showLedger() {
  const count = ++ledgerCount;
  const ledger = await client().transactions({ limit: 10 }).catch(() => null);
  if (count !== ledgerCount || !ledger) return; // a later answer is newer; after an error the old entries stay
  const none = element("tr", {}, element("td", { colSpan: 3, className: "note" }, "No entries yet."));
  $("ledger").replaceChildren(...(ledger.data.length ? ledger.data.map(ledgerRow) : [none]));
}

document.addEventListener("topup-balance", ({ detail: { accountId, totalCredits, usedCredits } }) => {
  const [total, used] = [totalCredits, usedCredits].map((credits) => showCredits(credits));
  $("balance-note").textContent = `${total} in all, ${used} used. Account ${accountId}, as of ${timeOfDay.format(new Date())}.`;
  showLedger();
});
