// Drives a running sandbox with Stripe's official library: stripe.mjs <port> <secret key>.
// Fails with the first thing that is not as it is on Stripe.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import Stripe from 'stripe';

const [port, key] = process.argv.slice(2);
const stripe = new Stripe(key, { host: '127.0.0.1', port: Number(port), protocol: 'http' });

const params = {
  mode: 'payment',
  line_items: [
    { price_data: { currency: 'usd', unit_amount: 1, product_data: { name: 'Credits' } }, quantity: 250 },
    { price_data: { currency: 'usd', unit_amount: 39, product_data: { name: 'Processing fee' } }, quantity: 1 },
  ],
  success_url: 'http://127.0.0.1:9/return?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://127.0.0.1:9/cancel',
  client_reference_id: 'account-1',
  metadata: { topupId: 'topup_1' },
  payment_intent_data: { metadata: { topupId: 'topup_1' } },
  adaptive_pricing: { enabled: false },
  allowed_payment_method_types: ['card'],
  expires_at: Math.floor(Date.now() / 1000) + 3600,
};

// A receiver that keeps what it gets.
const webhooks = [];
let wake = () => {};
const receiver = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    webhooks.push({ body: Buffer.concat(chunks), signature: request.headers['stripe-signature'] });
    response.end('ok');
    wake();
  });
});
await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const endpoint = await stripe.webhookEndpoints.create({
  url: `http://127.0.0.1:${receiver.address().port}/webhooks`,
  enabled_events: ['*'],
});

// Create, with an idempotency key, and again with the same one.
const created = await stripe.checkout.sessions.create(params, { idempotencyKey: 'node-1' });
assert.equal(created.object, 'checkout.session');
assert.equal(created.amount_total, 289);
assert.equal(created.lastResponse.apiVersion, Stripe.API_VERSION ?? created.lastResponse.apiVersion);
assert.match(created.lastResponse.requestId, /^req_/);
assert.equal(created.lastResponse.idempotencyKey, 'node-1');
const again = await stripe.checkout.sessions.create(params, { idempotencyKey: 'node-1' });
assert.equal(again.id, created.id);
await assert.rejects(
  stripe.checkout.sessions.create({ ...params, client_reference_id: 'account-2' }, { idempotencyKey: 'node-1' }),
  (error) => error instanceof Stripe.errors.StripeIdempotencyError,
);

// Retrieve, with expansion; list, page by page.
const retrieved = await stripe.checkout.sessions.retrieve(created.id, { expand: ['line_items'] });
assert.equal(retrieved.line_items.data[0].description, 'Credits');
const items = await stripe.checkout.sessions.listLineItems(created.id, { limit: 1 }).autoPagingToArray({ limit: 10 });
assert.deepEqual(items.map((item) => item.amount_total), [250, 39]);
const other = await stripe.checkout.sessions.create(params);
const listed = await stripe.checkout.sessions.list({ limit: 1, status: 'open' }).autoPagingToArray({ limit: 10 });
assert.deepEqual(listed.map((session) => session.id), [other.id, created.id]);

// Expire.
const expired = await stripe.checkout.sessions.expire(other.id);
assert.equal(expired.status, 'expired');
assert.equal(expired.url, null);

// Errors come as the library's own classes.
await assert.rejects(stripe.checkout.sessions.create({ ...params, nonsense: 1 }), (error) => {
  assert(error instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(error.code, 'parameter_unknown');
  assert.equal(error.param, 'nonsense');
  assert.equal(error.message, 'Received unknown parameter: nonsense');
  assert.match(error.requestId, /^req_/);
  return true;
});
await assert.rejects(stripe.checkout.sessions.retrieve('cs_test_none'), { statusCode: 404, code: 'resource_missing' });
const stranger = new Stripe('sk_test_wrong', { host: '127.0.0.1', port: Number(port), protocol: 'http' });
await assert.rejects(
  stranger.checkout.sessions.list(),
  (error) => error instanceof Stripe.errors.StripeAuthenticationError,
);

// A decline, then a payment, through the private endpoint that Stripe's command line tool uses.
const confirm = (payment_method) =>
  stripe.rawRequest('POST', `/v1/payment_pages/${created.id}/confirm`, { payment_method, expected_amount: 289 });
await assert.rejects(confirm('pm_card_visa_chargeDeclined'), (error) => {
  assert(error instanceof Stripe.errors.StripeCardError);
  assert.equal(error.decline_code, 'generic_decline');
  assert.equal(error.payment_intent.object, 'payment_intent');
  return true;
});
await confirm('pm_card_visa');
const paid = await stripe.checkout.sessions.retrieve(created.id, {
  expand: ['payment_intent.latest_charge.balance_transaction'],
});
assert.equal(paid.payment_status, 'paid');
assert.equal(paid.payment_intent.latest_charge.balance_transaction.fee, 38);
const charge = await stripe.charges.retrieve(paid.payment_intent.latest_charge.id);
assert.equal(charge.paid, true);

// Money goes back: by the API in two parts, page by page, and no further.
const payment_intent = paid.payment_intent.id;
const first = await stripe.refunds.create({ payment_intent, amount: 100, reason: 'requested_by_customer' });
const second = await stripe.refunds.create({ charge: charge.id, metadata: { why: 'the rest' } });
assert.deepEqual([first.status, second.amount], ['succeeded', 189]);
const refunds = await stripe.refunds.list({ payment_intent, limit: 1 }).autoPagingToArray({ limit: 10 });
assert.deepEqual(refunds.map((refund) => refund.id), [second.id, first.id]);
await assert.rejects(stripe.refunds.create({ payment_intent }), (error) => {
  assert(error instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(error.code, 'charge_already_refunded');
  return true;
});
const changed = await stripe.refunds.update(second.id, { metadata: { why: '' } });
assert.deepEqual(changed.metadata, {});

// A payment from code is disputed, and the dispute is won.
const disputed = await stripe.paymentIntents.create({
  amount: 500, currency: 'usd', payment_method: 'pm_card_createDispute', confirm: true,
});
assert.equal(disputed.status, 'succeeded');
const disputes = await stripe.disputes.list({ payment_intent: disputed.id });
assert.equal(disputes.data[0].status, 'needs_response');
const won = await stripe.disputes.update(disputes.data[0].id, {
  evidence: { uncategorized_text: 'winning_evidence' }, submit: true,
});
assert.deepEqual([won.status, won.balance_transactions.map((row) => row.net)], ['won', [-2000, 500]]);
const booked = await stripe.balanceTransactions.list({ source: won.id }).autoPagingToArray({ limit: 10 });
assert.deepEqual(booked.map((row) => row.amount), [500, -500]);

// A customer saves a card, which is charged while the customer is away; another card's bank refuses.
const customer = await stripe.customers.create({ email: 'ada@example.com', name: 'Ada', metadata: { account: '1' } });
const setup = await stripe.setupIntents.create({
  customer: customer.id, payment_method: 'pm_card_visa', confirm: true, usage: 'off_session',
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
});
assert.equal(setup.status, 'succeeded');
const saved = await stripe.customers.listPaymentMethods(customer.id, { type: 'card' });
assert.deepEqual(saved.data.map((method) => method.id), [setup.payment_method]);
await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: setup.payment_method } });
const known = await stripe.customers.retrieve(customer.id, { expand: ['invoice_settings.default_payment_method'] });
assert.equal(known.invoice_settings.default_payment_method.card.last4, '4242');
const away = { amount: 1500, currency: 'usd', customer: customer.id, confirm: true, off_session: true };
const charged = await stripe.paymentIntents.create({ ...away, payment_method: setup.payment_method });
assert.deepEqual([charged.status, charged.customer], ['succeeded', customer.id]);
const failing = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_chargeCustomerFail' } });
await stripe.paymentMethods.attach(failing.id, { customer: customer.id });
const refused = await stripe.paymentIntents.create({ ...away, payment_method: failing.id }).catch((error) => error);
assert(refused instanceof Stripe.errors.StripeCardError);
assert.equal(refused.payment_intent.status, 'requires_payment_method');
const canceled = await stripe.paymentIntents.cancel(refused.payment_intent.id);
assert.equal(canceled.status, 'canceled');
await stripe.paymentMethods.update(setup.payment_method, { billing_details: { name: 'Ada' } });
const detached = await stripe.paymentMethods.detach(failing.id);
assert.equal(detached.customer, null);

// A plan: a product with a price by its lookup key, and a checkout that sells another price.
const product = await stripe.products.create({
  name: 'Pro', default_price_data: { currency: 'usd', unit_amount: 1500, recurring: { interval: 'month' } },
});
const monthly = await stripe.prices.create({
  product: product.id, currency: 'usd', unit_amount: 2000, recurring: { interval: 'month' }, lookup_key: 'pro',
});
const moved = await stripe.prices.create({
  product: product.id, currency: 'usd', unit_amount: 2500, recurring: { interval: 'month' }, lookup_key: 'pro',
  transfer_lookup_key: true,
});
const byKey = await stripe.prices.list({ lookup_keys: ['pro'], expand: ['data.product'] });
assert.deepEqual(byKey.data.map((price) => [price.id, price.product.name]), [[moved.id, 'Pro']]);
await stripe.prices.update(monthly.id, { active: false });
await stripe.products.update(product.id, { description: 'All of it' });
const once = await stripe.prices.create({
  product: product.id, currency: 'usd', unit_amount_decimal: '0.95', currency_options: { eur: { unit_amount: 1 } },
});
const sold = await stripe.checkout.sessions.create({
  mode: 'payment', customer: customer.id, line_items: [{ price: once.id, quantity: 1000 }],
  success_url: 'http://127.0.0.1:9/return', payment_intent_data: { setup_future_usage: 'off_session' },
});
assert.equal(sold.amount_total, 950);
const page = await stripe.checkout.sessions.create({
  mode: 'setup', customer: customer.id, currency: 'usd', success_url: 'http://127.0.0.1:9/return',
});
const pages = await stripe.setupIntents.retrieve(page.setup_intent);
assert.equal(pages.status, 'requires_payment_method');
const gone = await stripe.customers.del(customer.id);
assert.equal(gone.deleted, true);

// Connected accounts, transfers, payouts and meters.
const seller = await stripe.accounts.create({ type: 'express', capabilities: { transfers: { requested: true } } });
assert.equal(seller.capabilities.transfers, 'active');
const transfer = await stripe.transfers.create({ amount: 1000, currency: 'usd', destination: seller.id });
const reversal = await stripe.transfers.createReversal(transfer.id, { amount: 100 });
assert.equal(reversal.transfer, transfer.id);
const payout = await stripe.payouts.create({ amount: 500, currency: 'usd' });
assert.equal(payout.status, 'pending');
const meter = await stripe.billing.meters.create({
  display_name: 'Tokens', event_name: 'tokens', default_aggregation: { formula: 'sum' },
});
const counted = await stripe.billing.meterEvents.create({
  event_name: 'tokens', payload: { stripe_customer_id: (await stripe.customers.create()).id, value: '25' },
});
assert.equal(counted.event_name, meter.event_name);

// A plan: a customer with a card, a recurring price, a subscription, its invoice and the way from its payment back.
{
  const plan = await stripe.products.create({ name: 'Pro' });
  const monthly = await stripe.prices.create({
    product: plan.id, currency: 'usd', unit_amount: 2000, recurring: { interval: 'month' },
  });
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1577836800 });
  const buyer = await stripe.customers.create({
    test_clock: clock.id,
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const subscription = await stripe.subscriptions.create({
    customer: buyer.id, items: [{ price: monthly.id }], expand: ['latest_invoice.payments'],
  });
  assert.equal(subscription.status, 'active');
  const [paidBy] = subscription.latest_invoice.payments.data;
  const found = await stripe.invoicePayments.list({
    payment: { type: 'payment_intent', payment_intent: paidBy.payment.payment_intent },
  });
  assert.equal(found.data[0].invoice, subscription.latest_invoice.id);
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
  assert.equal(preview.total, 2000);
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: 1577836800 + 32 * 86400 });
  while ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status !== 'ready');
  const renewals = await stripe.invoices.list({ subscription: subscription.id, status: 'paid' });
  assert.deepEqual(renewals.data.map((invoice) => invoice.billing_reason), ['subscription_cycle', 'subscription_create']);
  const lines = await stripe.invoices.listLineItems(renewals.data[0].id).autoPagingToArray({ limit: 10 });
  assert.equal(lines[0].parent.subscription_item_details.subscription, subscription.id);
  const ending = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  assert.equal(ending.cancel_at_period_end, true);
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  assert.equal((await stripe.subscriptionSchedules.release(schedule.id)).status, 'released');
  assert.equal((await stripe.subscriptionItems.list({ subscription: subscription.id })).data.length, 1);
  await stripe.invoiceItems.create({ customer: buyer.id, amount: 500, currency: 'usd' });
  const bill = await stripe.invoices.create({ customer: buyer.id, pending_invoice_items_behavior: 'include' });
  const settled = await stripe.invoices.pay((await stripe.invoices.finalizeInvoice(bill.id)).id);
  assert.equal(settled.status, 'paid');
  const note = await stripe.creditNotes.create({ invoice: settled.id, amount: 100, refund_amount: 100 });
  assert.equal(note.status, 'issued');
  const configuration = await stripe.billingPortal.configurations.create({
    features: { invoice_history: { enabled: true }, subscription_cancel: { enabled: true } },
  });
  const visit = await stripe.billingPortal.sessions.create({
    customer: buyer.id, configuration: configuration.id, return_url: 'http://127.0.0.1:9/',
  });
  assert.match(visit.url, /\/p\/session\//);
  assert.equal((await stripe.tax.settings.retrieve()).status, 'active');
  const coupon = await stripe.coupons.create({ percent_off: 12.5 });
  assert.equal(coupon.percent_off, 12.5);
  const checkout = await stripe.checkout.sessions.create({
    mode: 'subscription', line_items: [{ price: monthly.id, quantity: 1 }], success_url: 'http://127.0.0.1:9/',
    subscription_data: { trial_period_days: 7, metadata: { account: 'a' } },
  });
  assert.deepEqual([checkout.mode, checkout.amount_total], ['subscription', 0]);
  assert.equal((await stripe.subscriptions.cancel(subscription.id)).status, 'canceled');
  await stripe.testHelpers.testClocks.del(clock.id);
}

// The webhooks verify with the library's own check, and a changed one does not.
const completed = () => webhooks.find(({ body }) => body.includes('"type":"checkout.session.completed"'));
const deadline = Date.now() + 10_000;
while (!completed()) {
  assert(Date.now() < deadline, 'checkout.session.completed did not arrive within 10 seconds');
  await Promise.race([new Promise((resolve) => (wake = resolve)), new Promise((resolve) => setTimeout(resolve, 500))]);
}
for (const { body, signature } of webhooks) {
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  assert.equal(event.object, 'event');
}
const { body, signature } = completed();
const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
assert.equal(event.data.object.id, created.id);
assert.throws(
  () => stripe.webhooks.constructEvent(body.toString().replace('289', '299'), signature, endpoint.secret),
  Stripe.errors.StripeSignatureVerificationError,
);
const stored = await stripe.events.retrieve(event.id);
assert.equal(stored.type, 'checkout.session.completed');

await stripe.webhookEndpoints.del(endpoint.id);
receiver.closeAllConnections();
receiver.close();
console.log('ok');
