// What the sandbox of `sandbox.mjs` holds: objects in every state, made with API requests and controls.

import assert from "node:assert/strict";

/** The addresses of the two sandboxes and their key, from the environment. */
export const place = process.env.SANDBOX ? JSON.parse(process.env.SANDBOX) : null;

export async function post(path, form = {}) {
  const answer = await fetch(`${place.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${place.key}`, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form),
  });
  const body = await answer.json();
  assert.ok(answer.ok || answer.status === 402, `${path}: ${JSON.stringify(body)}`);
  return body;
}

export async function control(path, body = {}) {
  const answer = await fetch(`${place.url}/_sandbox/${path}`, { method: "POST", body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${await answer.text()}`);
}

export const session = (account, { currency = "usd", unit = 1, more = {} } = {}) => post("/v1/checkout/sessions", {
  mode: "payment",
  "line_items[0][price_data][currency]": currency,
  "line_items[0][price_data][unit_amount]": String(unit),
  "line_items[0][price_data][product_data][name]": "Credits",
  "line_items[0][quantity]": "250",
  "line_items[1][price_data][currency]": currency,
  "line_items[1][price_data][unit_amount]": "39",
  "line_items[1][price_data][product_data][name]": "Processing fee",
  "line_items[1][quantity]": "1",
  success_url: `${place.url}/?paid`,
  cancel_url: `${place.url}/?left`,
  client_reference_id: account,
  "metadata[topupId]": `topup_${account}`,
  ...more,
});

export async function confirm({ id, amount_total }, method) {
  const form = { payment_method: method, expected_amount: String(amount_total), email: "ada@example.com" };
  return post(`/v1/payment_pages/${id}/confirm`, form);
}

export async function paid(account, method = "pm_card_visa", options = {}) {
  const opened = await session(account, options);
  const { payment_intent: intent } = await confirm(opened, method);
  return { session: opened.id, intent: intent.id };
}

let filled = null;

/** Objects in every state, once. */
export async function fill() {
  if (filled) return filled;
  await post("/v1/webhook_endpoints", { url: "http://127.0.0.1:9/webhooks", "enabled_events[]": "charge.refunded" });
  const open = await session("user_1");
  const expired = await session("user_2");
  await control(`sessions/${expired.id}/expire`);
  const declined = await session("user_3");
  await confirm(declined, "pm_card_visa_chargeDeclined");
  const challenged = await session("user_4");
  await confirm(challenged, "pm_card_authenticationRequired");
  const delayed = await session("user_5");
  await confirm(delayed, "pm_sandbox_delayed");
  const whole = await paid("user_6", "pm_card_visa", { currency: "eur", unit: 1234 });
  await control(`payment_intents/${whole.intent}/refund`);
  const part = await paid("user_7", "pm_card_visa", { currency: "jpy", unit: 12 });
  await control(`payment_intents/${part.intent}/refund`, { amount: 100 });
  const disputed = await paid("a-rather-long-account-name@customers.example.com", "pm_card_createDispute");
  const inquiry = await paid("user_9", "pm_card_createDisputeInquiry");
  const won = await paid("user_10", "pm_card_createDispute");
  const list = async (path) => {
    const headers = { authorization: `Bearer ${place.key}` };
    return (await (await fetch(`${place.url}${path}`, { headers })).json()).data;
  };
  const disputes = await list("/v1/disputes");
  const of = (intent) => disputes.find((dispute) => dispute.payment_intent === intent).id;
  await control(`disputes/${of(won.intent)}`, { to: "won" });
  const debit = await session("user_11", {
    currency: "eur",
    more: { "allowed_payment_method_types[0]": "card", "allowed_payment_method_types[1]": "sepa_debit" },
  });
  const customer = await post("/v1/customers", { name: "Ada Lovelace", email: "ada@customers.example.com" });
  const card = await post("/v1/payment_methods/pm_card_visa/attach", { customer: customer.id });
  await post(`/v1/payment_methods/${card.id}`, { allow_redisplay: "always" });
  await post("/v1/payment_methods/pm_card_mastercard/attach", { customer: customer.id });
  await post(`/v1/customers/${customer.id}`, { "invoice_settings[default_payment_method]": card.id });
  const saved = await session("user_13", { more: {
    customer: customer.id, "saved_payment_method_options[payment_method_save]": "enabled" } });
  const good = await paid("user_12");
  const [refund] = await list("/v1/refunds");
  const [event] = await list("/v1/events?type=charge.refunded");
  filled = {
    open: open.id, expired: expired.id, challenged: challenged.id, delayed: delayed.id, debit: debit.id,
    good: good.session, part: part.session, disputed: of(disputed.intent), inquiry: of(inquiry.intent),
    won: of(won.intent), refund: refund.id, event: event.id, customer: customer.id,
    saved: saved.id,
  };
  return filled;
}

/** The payment intent of a session. */
export async function intentOf(id) {
  const headers = { authorization: `Bearer ${place.key}` };
  return (await (await fetch(`${place.url}/v1/checkout/sessions/${id}`, { headers })).json()).payment_intent;
}
