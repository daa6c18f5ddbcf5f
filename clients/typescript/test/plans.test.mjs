// Plans, cards and auto top-up: what is asked for, where, and for whom.
import assert from "node:assert/strict";
import { test } from "node:test";
import { topup } from "@topup/client";
import { serve } from "./support/server.mjs";

const shown = (seen) => seen.map(({ method, url, body }) => `${method} ${url}${body ? ` ${JSON.stringify(body)}` : ""}`);

test("a page's calls about plans name no account", async (t) => {
  const { url, seen } = await serve(t, { body: { data: [], id: "cs_1", url: "https://pay.example" } });
  const client = topup({ baseUrl: url, token: "t" });
  await client.plans();
  await client.subscriptions();
  await client.subscription("sub/1");
  const page = { planId: "pro", successUrl: "https://app.example.com" };
  assert.equal((await client.subscribe(page, { idempotencyKey: "once" })).url, "https://pay.example");
  await client.previewChange("sub_1", "pro");
  await client.changePlan("sub_1", { planId: "pro", prorationDate: "2026-11-21T12:01:00Z" });
  await client.cancelSubscription("sub_1");
  await client.resumeSubscription("sub_1");
  assert.equal(await client.portal({ returnUrl: "https://app.example.com" }), "https://pay.example");
  assert.deepEqual(shown(seen), [
    "GET /plans",
    "GET /subscriptions",
    "GET /subscriptions/sub%2F1",
    `POST /subscriptions/sessions ${JSON.stringify(page)}`,
    "GET /subscriptions/sub_1/change/preview?planId=pro",
    'POST /subscriptions/sub_1/change {"planId":"pro","prorationDate":"2026-11-21T12:01:00Z"}',
    'POST /subscriptions/sub_1/cancel {"at":"period_end"}',
    "POST /subscriptions/sub_1/resume",
    'POST /portal/sessions {"returnUrl":"https://app.example.com"}',
  ]);
  assert.equal(seen[3].headers["idempotency-key"], "once");
  assert.deepEqual([seen[0].headers.authorization, seen[1].headers.authorization], [undefined, "Bearer t"]);
});

test("a server's calls about plans, cards and auto top-up name their account", async (t) => {
  const { url, seen } = await serve(t, { body: { data: [], url: "https://pay.example" } });
  const account = topup({ baseUrl: url, apiKey: "k" }).account("user_1");
  await account.subscriptions();
  await account.subscribe({ planId: "pro", successUrl: "https://app.example.com" });
  await account.portal({ returnUrl: "https://app.example.com", flow: "payment_method_update" });
  await account.cancelSubscription("sub_1", { at: "now" });
  await account.entitlement();
  await account.cards();
  await account.saveCard({ successUrl: "https://app.example.com" });
  await account.setDefaultCard("pm_1");
  await account.removeCard("pm_1");
  await account.autoTopup();
  await account.setAutoTopup({ enabled: false });
  await account.confirmPayment({ successUrl: "https://app.example.com" });
  assert.deepEqual(shown(seen), [
    "GET /subscriptions?accountId=user_1",
    'POST /subscriptions/sessions {"accountId":"user_1","planId":"pro","successUrl":"https://app.example.com"}',
    'POST /portal/sessions {"accountId":"user_1","returnUrl":"https://app.example.com","flow":"payment_method_update"}',
    'POST /subscriptions/sub_1/cancel {"at":"now"}',
    "GET /accounts/user_1/entitlement",
    "GET /payment-methods?accountId=user_1",
    'POST /payment-methods/sessions {"accountId":"user_1","successUrl":"https://app.example.com"}',
    'PUT /payment-methods/default {"accountId":"user_1","paymentMethodId":"pm_1"}',
    "DELETE /payment-methods/pm_1?accountId=user_1",
    "GET /auto-topup?accountId=user_1",
    'PUT /auto-topup {"accountId":"user_1","enabled":false}',
    'POST /auto-topup/recovery {"accountId":"user_1","successUrl":"https://app.example.com"}',
  ]);
});
