// The demo page: how a web page sells credits with this API. It uses only the public API, except for `logIn`. How credits
// are spent is in `spending.js`.
//
// The page never decides the outcome of a purchase. Anyone can type the address that a customer returns to, so the page
// treats it as a hint and asks the API for the state of the checkout session.

export const $ = (id) => document.getElementById(id);

// ---- API calls ----

/**
 * An error of the API (RFC 9457), or, with status 0, a failed connection. The message is a sentence for the customer,
 * chosen by the error's code. The API's `detail` is for developers and is only logged to the console.
 */
export class Problem extends Error {
  constructor(status, body, headers) {
    super(sentence(status, body, headers));
    Object.assign(this, { status, code: body?.code });
  }
}

/** Sends a request and returns the response, or throws a `Problem`. */
async function ask(path, { body, headers = {}, signal, timeoutMs = 15_000 } = {}) {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), signal].filter(Boolean));
  const post = body && { method: "POST", body: JSON.stringify(body) };
  if (body) headers["content-type"] = "application/json";
  const response = await fetch(path, { ...post, headers, signal: limit }).catch(() => {
    throw new Problem(0);
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  console.info(`${path}: ${response.status} ${answer?.code}: ${answer?.detail}`);
  throw new Problem(response.status, answer ?? {}, response.headers);
}

const json = (response) => response.json().catch(() => {
  throw new Problem(response.status, {}, response.headers);
});
const send = async (path, options) => json(await ask(path, options));

/** Stands in for your own login, where your backend signs a token whose subject is the account. Not public API. */
const logIn = async () => (await send("/demo/token", { body: {} })).token;

let token; // a promise, so that parallel calls share one login; in memory only, never in browser storage

/** Sends a request with the customer's token, and logs in again if the token has expired. */
export async function askAsCustomer(path, options = {}, mayLogInAgain = true) {
  const used = (token ??= logIn().catch((problem) => { token = undefined; throw problem; }));
  const headers = { ...options.headers, authorization: `Bearer ${await used}` };
  return ask(path, { ...options, headers }).catch((problem) => {
    if (problem.status !== 401 || !mayLogInAgain) throw problem;
    if (token === used) token = undefined;
    return askAsCustomer(path, options, false);
  });
}

export const sendAsCustomer = async (path, options) => json(await askAsCustomer(path, options));

// ---- Numbers and times ----

const number = new Intl.NumberFormat("en");

// The API counts credits in integers. Some of their digits may be decimals for people: with 2, 250 is shown as 2.50. The
// page has this number from the server; a quote has it as `creditDisplayDecimals`.
const DECIMALS = Number(document.body.dataset.creditDecimals);
const CREDIT_DIGITS = { minimumFractionDigits: Math.min(DECIMALS, 2), maximumFractionDigits: DECIMALS };
const creditFormat = new Intl.NumberFormat("en", CREDIT_DIGITS);
const signedCreditFormat = new Intl.NumberFormat("en", { ...CREDIT_DIGITS, signDisplay: "exceptZero" });

/** Formats a number of credits. The exponent in a text moves the point without a division, so nothing is rounded. */
export const showCredits = (credits, format = creditFormat) => format.format(`${credits}e-${DECIMALS}`);

/** The number of credits in the form, as the API counts them; no integer if the field has none. */
const chosenCredits = () => Number(`${$("credits").valueAsNumber}e${DECIMALS}`);

export const dateAndTime = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
export const timeOfDay = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

// Stripe's number of decimals per currency. Intl has a different list, for written prices: it writes forints without
// decimals, but Stripe counts hundredths. Stripe counts ISK and UGX in hundredths too, but accepts whole units only.
const ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ");
const THREE_DECIMAL = "bhd jod kwd omr tnd".split(" ");
const WRITTEN_WHOLE = ["isk", "ugx"];

/** Formats an amount. Amounts are integers in minor units everywhere else; they are divided only for display. */
function money(amountMinor, currency) {
  const digits = ZERO_DECIMAL.includes(currency) ? 0 : THREE_DECIMAL.includes(currency) ? 3 : 2;
  const shown = WRITTEN_WHOLE.includes(currency) ? 0 : digits;
  const format = { style: "currency", currency, minimumFractionDigits: shown, maximumFractionDigits: shown };
  return new Intl.NumberFormat("en", format).format(amountMinor / 10 ** digits);
}

// ---- Error messages ----

function again(seconds) {
  if (seconds > 90) return `Please try again in ${number.format(Math.ceil(seconds / 60))} minutes.`;
  return seconds > 10 ? `Please try again in ${seconds} seconds.` : "Please try again in a moment.";
}

/** Takes the limits from the form. Your own page knows what you sell. */
const choose = () => {
  const { min, max, step } = $("credits");
  const [smallest, largest, unit] = [min, max, step].map((shown) => creditFormat.format(shown));
  return `Please choose between ${smallest} and ${largest} credits${unit === "1" ? "" : `, in steps of ${unit}`}.`;
};

const SENTENCES = {
  account_blocked: () => "This account is blocked. Please write to us.",
  amount_too_small: () => "A payment this small is not possible. Please choose more credits.",
  credits_held: () => "Your other credits are held for work that is still running. Please try again in a moment.",
  idempotency_key_in_use: () => "Your checkout is still being prepared. Please try again in a moment.",
  insufficient_credits: () => "You do not have enough credits for this. Please buy some more.",
  rate_limited: (seconds) => `That was a lot at once. ${again(seconds)}`,
  session_ended: () => "That checkout has ended. Please try again.",
  too_many_open_checkouts: (seconds) => `You have many unfinished checkouts. Finish one of them first. ${again(seconds)}`,
};

/** Errors after which nothing was charged: Stripe opened no checkout session, or the customer was not sent to it. */
const NOTHING_CHARGED = ["checkout_unsettled", "provider_mismatch", "provider_no_url", "provider_rate_limited", "provider_refused",
  "provider_timeout", "provider_unavailable"];

/** The sentence for an error. Unknown codes fall back to the status, because the API may add codes at any time. */
function sentence(status, { code, errors = [] } = {}, headers) {
  const seconds = Number(headers?.get("retry-after"));
  if (errors.some(({ field }) => field === "credits")) return choose();
  if (Object.hasOwn(SENTENCES, code)) return SENTENCES[code](seconds);
  if (status === 0) return "We cannot be reached. Please check your connection and try again.";
  if (status === 401 || status === 403) return "You are not logged in any more. Please reload the page.";
  if (status === 404) return "We do not know this purchase.";
  if ([429, 502, 503, 504].includes(status)) return again(seconds);
  const reference = headers?.get("x-request-id");
  return `Something went wrong on our side. ${again(seconds)}${reference ? ` If you write to us, please mention ${reference}.` : ""}`;
}

// ---- Messages ----

export const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
export const button = (label, onclick) => element("button", { type: "button", className: "quiet", onclick }, label);

/** Replaces the message only if it differs, so that polling does not make a screen reader repeat itself. */
function tell(state, title = "", text = "", action = "") {
  const status = $("status");
  if (status.dataset.state === state && status.dataset.told === title + text) return;
  Object.assign(status.dataset, { state, told: title + text });
  status.replaceChildren(...(title && [element("strong", {}, title), element("p", {}, text), action]));
  if (title) status.scrollIntoView({ block: "nearest" });
}

function tellProblem(title, problem, tryAgain = start, known = "") {
  if (!(problem instanceof Problem)) throw problem; // a bug in this file: let it reach the console
  tell("error", title, `${known} ${problem.message}`.trim(), button("Try again", tryAgain));
}

// ---- Balance and ledger ----

let refreshCount = 0;

/** Shows the newest balance and ledger. Other parts of the page hear of them by the event `credits`. */
export async function refresh() {
  const count = ++refreshCount;
  const questions = ["/credits", "/credits/transactions?limit=10"].map((path) => sendAsCustomer(path));
  const [account, ledger] = await Promise.all(questions);
  if (count !== refreshCount) return; // a later refresh is newer
  $("balance").textContent = showCredits(account.remainingCredits);
  $("balance").dataset.credits = account.remainingCredits;
  const [total, used] = [account.totalCredits, account.usedCredits].map((credits) => showCredits(credits));
  const asOf = `Account ${account.accountId}, as of ${timeOfDay.format(new Date())}.`;
  const owed = account.owedCredits > 0 ? ` ${showCredits(account.owedCredits)} owed: the next purchase fills that first.` : "";
  $("balance-note").textContent = `${total} in all, ${used} used.${owed} ${asOf}`;
  const none = element("tr", {}, element("td", { colSpan: 3, className: "note" }, "No entries yet."));
  $("ledger").replaceChildren(...(ledger.data.length ? ledger.data.map(ledgerRow) : [none]));
  document.dispatchEvent(new CustomEvent("credits", { detail: account }));
}

const KINDS = {
  topup: "Top-up", reversal: "Refund or dispute", adjustment: "Adjustment", spend: "Spent", spend_refund: "Given back",
  bonus: "Bonus", promotion: "Present", expiry: "Expired", void: "Ended early",
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
    element("td", { className: credits > 0 ? "gain" : "" }, showCredits(credits, signedCreditFormat)),
    element("td", {}, showCredits(balanceAfter)));
}

// ---- Quote ----

const quickAmounts = document.querySelectorAll("[data-amount]");
const NO_NUMBER = new Problem(400, { errors: [{ field: "credits" }] });
let quoting = new AbortController();

async function quote(delayMs = 0) {
  quoting.abort(); // the answer to an earlier request must not overwrite a later one
  const { signal } = (quoting = new AbortController());
  const credits = chosenCredits();
  for (const quick of quickAmounts) quick.ariaPressed = Number(quick.value) === $("credits").valueAsNumber;
  if (!Number.isSafeInteger(credits) || credits < 1) return showQuote(null, NO_NUMBER);
  $("quote").ariaBusy = "true";
  await new Promise((done) => setTimeout(done, delayMs));
  const answer = await send(`/credits/quote?credits=${credits}`, { signal }).catch((problem) => problem);
  if (signal.aborted) return;
  if (answer instanceof Error) showQuote(null, answer);
  else showQuote(answer);
}

function showQuote(answer, problem) {
  const amount = (minor) => (answer ? money(minor, answer.currency) : "–");
  $("quote-credits").textContent = answer ? `${showCredits(answer.credits)} credits` : "Credits";
  $("quote-price").textContent = amount(answer?.creditsAmount);
  $("quote-fee").textContent = amount(answer?.feeAmount);
  $("quote-fee-line").hidden = answer?.feeAmount === 0;
  $("quote-total").textContent = amount(answer?.totalAmount);
  $("quote").ariaBusy = "false";
  $("quote-problem").textContent = problem?.message ?? "";
  $("credits").ariaInvalid = String(problem?.status === 400); // other errors do not concern the number
  $("buy").disabled = !answer;
}

// ---- Purchase ----

/** The current purchase, in the tab's session storage, because this script ends when the browser leaves the page. */
const purchase = {
  read: () => JSON.parse(sessionStorage.getItem("purchase")),
  keep: (value) => sessionStorage.setItem("purchase", JSON.stringify(value)),
  forget: () => sessionStorage.removeItem("purchase"),
};

// One key for each purchase: a second click, or a retry after a lost answer, sends the same key and gets the same
// checkout. The key is dropped when the checkout is open, or when the customer changes the form.
let idempotencyKey;

async function openCheckout(credits, mayStartAnew = true, waits = 0) {
  idempotencyKey ??= crypto.randomUUID();
  const successUrl = `${location.origin}/?session_id={CHECKOUT_SESSION_ID}`; // Stripe fills in the placeholder,
  const cancelUrl = `${location.origin}/?cancelled=1`; // but not in this URL, hence `purchase`
  const request = { headers: { "idempotency-key": idempotencyKey }, body: { credits, successUrl, cancelUrl } };
  try {
    const checkout = await sendAsCustomer("/credits/sessions", request);
    idempotencyKey = undefined;
    return checkout;
  } catch (problem) {
    if (problem.code === "idempotency_key_in_use" && waits < 10) { // the first request is still running
      await new Promise((done) => setTimeout(done, 1_000));
      return openCheckout(credits, mayStartAnew, waits + 1);
    }
    if (problem.code !== "session_ended" || !mayStartAnew) throw problem;
    idempotencyKey = undefined; // that checkout was paid or has expired, so this is a new purchase
    return openCheckout(credits, false);
  }
}

async function buy(event) {
  event?.preventDefault();
  if ($("buy").matches(":disabled")) return; // already in progress, or the number is not valid
  const focused = document.activeElement;
  $("purchase").disabled = true; // until the browser has left the page
  try {
    const { id, url } = await openCheckout(chosenCredits());
    followCount += 1; // stop following an earlier purchase
    purchase.keep({ id, url });
    location.assign(url);
  } catch (problem) {
    $("purchase").disabled = false;
    focused.focus();
    const known = NOTHING_CHARGED.includes(problem.code) ? "Nothing was charged." : "";
    tellProblem("The checkout could not be opened", problem, () => buy(), known);
  }
}

/** Stores the parameters of a return and removes them from the address, so that a reload does not repeat it. */
function noteReturn() {
  const parameters = new URLSearchParams(location.search);
  const id = parameters.get("session_id");
  if (id) purchase.keep({ id, returned: true });
  const isUnknown = parameters.has("cancelled") && !purchase.read();
  if (isUnknown) tell("cancelled", "You left the checkout", "Your balance shows what has been paid.");
  history.replaceState(null, "", location.pathname);
}

let followCount = 0;

/** Polls the current purchase until its outcome is final: often at first, because most are final within a second. */
async function follow() {
  const count = ++followCount;
  const kept = purchase.read();
  if (!kept) return;
  if (kept.returned) tell("open", "Confirming your payment", "This usually takes a moment.");
  const patienceEndsMs = Date.now() + 120_000;
  for (let waitMs = 500; ; waitMs *= 1.5) {
    const answer = await sendAsCustomer(`/credits/sessions/${encodeURIComponent(kept.id)}`).catch((problem) => problem);
    if (count !== followCount) return; // a later run has taken over
    const problem = answer instanceof Error ? answer : null;
    if (!problem && (await tellSession(answer, kept))) return purchase.forget();
    if (problem?.status === 404) purchase.forget();
    const mayPass = !problem || [0, 429].includes(problem.status) || problem.status >= 500;
    const isSlow = answer.state === "processing";
    if (!mayPass || (!isSlow && Date.now() > patienceEndsMs)) {
      if (problem) tellProblem("Your purchase could not be looked up", problem);
      else if (kept.returned) tell("open", ...NEWS.none, button("Check again", start));
      return;
    }
    await new Promise((done) => setTimeout(done, Math.min(waitMs, isSlow ? 60_000 : 5_000)));
  }
}

const NEWS = {
  none: ["No news of your payment yet", "If you have paid, the credits arrive by themselves."],
  expired: ["The checkout has expired", "Nothing was charged."],
  failed: ["The payment failed", "No credits were added. You can try again."],
  processing: ["Your bank is still working on it", "The credits arrive by themselves."],
};

/** Decline codes that may be shown. Stripe advises against showing others, such as a card reported as stolen. */
const DECLINES = {
  expired_card: "the card has expired", incorrect_cvc: "the security code is wrong",
  incorrect_number: "the card number is wrong", insufficient_funds: "insufficient funds",
};

/** Shows the state of the purchase. Returns true if the state is final. */
async function tellSession({ state, credits, totalAmount, currency, expiresAt, declineCode }, { returned, url }) {
  if (state === "paid") {
    await refresh().catch(() => {}); // report the payment even if the balance cannot be loaded
    document.dispatchEvent(new CustomEvent("paid"));
    tell("paid", `${showCredits(credits)} credits added`, `You paid ${money(totalAmount, currency)}. Thank you.`);
  } else if (state in NEWS) {
    tell(state, ...NEWS[state]);
  } else if (state === "open" && !returned) { // the customer came back without paying
    const text = `The checkout stays open until ${dateAndTime.format(new Date(expiresAt))}.`;
    const goOn = element("a", { href: url }, "Continue to payment");
    const reason = Object.hasOwn(DECLINES, declineCode ?? "") ? ` (${DECLINES[declineCode]})` : "";
    const declined = `Your payment was declined${reason}; nothing was charged`;
    tell("cancelled", declineCode ? declined : "You left the checkout; nothing was charged", text, goOn);
  }
  return ["paid", "expired", "failed"].includes(state);
}

// ---- Start ----

/** Runs at load, on "Refresh" and "Try again", and when Back restores this page from the browser's cache. */
async function start() {
  noteReturn();
  quote();
  try {
    await refresh();
  } catch (problem) {
    return tellProblem("Your balance could not be loaded", problem);
  }
  if ($("status").dataset.state === "error") tell("idle");
  await follow();
}

function formChanged() {
  idempotencyKey = undefined;
  quote(250); // wait until the customer stops typing
}

$("form").onsubmit = buy;
$("credits").oninput = formChanged;
for (const quick of quickAmounts) {
  quick.textContent = creditFormat.format(quick.value);
  quick.onclick = () => {
    $("credits").value = quick.value;
    formChanged();
  };
}
$("refresh").onclick = start;
addEventListener("pageshow", () => {
  $("purchase").disabled = false; // the HTML disables it until this script runs
  $("refresh").hidden = false;
  start();
});
