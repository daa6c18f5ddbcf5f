// Messages are verified as the official library does, and no others are believed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { verifyWebhook, WebhookVerificationError } from "@topup/client";

const SECRET = `whsec_${Buffer.from("an invented secret, 32 bytes long").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another invented secret, for later").toString("base64")}`;
const DATA = { accountId: "user_1", text: "Müller – 東京" };
const BODY = JSON.stringify({ type: "topup.paid", timestamp: "2026-11-21T12:01:00Z", data: DATA });
const NOW_MS = 1_800_000_000_000;

/** Headers as the official library signs them. */
function signed({ body = BODY, id = "msg_1", atMs = NOW_MS, secret = SECRET } = {}) {
  const time = new Date(atMs);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(atMs / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, time, body),
  };
}

const verify = (headers, { body = BODY, secret = SECRET, ...options } = {}) =>
  verifyWebhook(body, headers, secret, { nowMs: NOW_MS, ...options });

test("a message that the official library signed is believed, in every form", async () => {
  const event = JSON.parse(BODY);
  const headers = signed();
  assert.deepEqual(await verify(headers), event);
  assert.deepEqual(await verify(new Headers(headers)), event);
  assert.deepEqual(await verify(headers, { body: new TextEncoder().encode(BODY) }), event);
  assert.deepEqual(await verify(headers, { body: Buffer.from(BODY) }), event);
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  assert.deepEqual(await verify(upper), event);
  assert.deepEqual(await verify(headers, { secret: SECRET.slice("whsec_".length) }), event);
});

test("while a secret is rotated, any of the signatures and any of the secrets may match", async () => {
  const [old, young] = [signed({ secret: OTHER }), signed()];
  const signatures = [old, young].map((headers) => headers["webhook-signature"]).join(" ");
  const both = { ...young, "webhook-signature": `v1a,AAAA v1,!!! v1 ${signatures}` };
  assert.equal((await verify(both)).type, "topup.paid");
  assert.equal((await verify(old, { secret: [SECRET, OTHER] })).type, "topup.paid");
  assert.equal((await verify(old, { secret: [OTHER, SECRET] })).type, "topup.paid");
});

test("what the official library verifies, we verify, and what it refuses, we refuse", async () => {
  const official = new Webhook(SECRET);
  const good = { ...signed({ atMs: Date.now() }) };
  const signature = good["webhook-signature"];
  for (const [name, headers, body] of [
    ["as signed", good, BODY],
    ["another body", good, BODY.replace("user_1", "user_2")],
    ["another id", { ...good, "webhook-id": "msg_2" }, BODY],
    ["another time", { ...good, "webhook-timestamp": String(Number(good["webhook-timestamp"]) + 1) }, BODY],
    ["a changed signature", { ...good, "webhook-signature": `v1,B${signature.slice(4)}` }, BODY],
    ["a shortened signature", { ...good, "webhook-signature": signature.slice(0, -4) }, BODY],
    ["an empty signature", { ...good, "webhook-signature": "v1," }, BODY],
    ["another version", { ...good, "webhook-signature": signature.replace("v1,", "v2,") }, BODY],
    ["five minutes old", signed({ atMs: Date.now() - 299_000 }), BODY],
    ["older", signed({ atMs: Date.now() - 302_000 }), BODY],
    ["from the future", signed({ atMs: Date.now() + 302_000 }), BODY],
    ["without an id", { ...good, "webhook-id": "" }, BODY],
    ["of another secret", signed({ atMs: Date.now(), secret: OTHER }), BODY],
  ]) {
    const theirs = (() => { try { official.verify(body, headers); return true; } catch { return false; } })();
    const ours = await verifyWebhook(body, headers, SECRET).then(() => true, (error) => {
      assert.ok(error instanceof WebhookVerificationError, `${name}: ${error}`);
      return false;
    });
    assert.equal(ours, theirs, name);
    assert.equal(ours, ["as signed", "five minutes old"].includes(name), name);
  }
});

test("why a message is not believed is told by a code", async () => {
  for (const [code, headers, options] of [
    ["missing_header", {}],
    ["missing_header", { ...signed(), "webhook-signature": undefined }],
    ["invalid_timestamp", { ...signed(), "webhook-timestamp": "1e9" }],
    ["invalid_timestamp", { ...signed(), "webhook-timestamp": "-1" }],
    ["too_old", signed({ atMs: NOW_MS - 301_000 })],
    ["too_new", signed({ atMs: NOW_MS + 301_000 })],
    ["too_old", signed({ atMs: NOW_MS - 11_000 }), { toleranceSeconds: 10 }],
    ["no_matching_signature", signed({ secret: OTHER })],
    ["invalid_body", signed({ body: "no JSON" }), { body: "no JSON" }],
  ]) {
    await assert.rejects(verify(headers, options), { name: "WebhookVerificationError", code });
  }
});

test("a secret that is none is a mistake of the caller's, not of the message", async () => {
  for (const secret of ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", []]) {
    await assert.rejects(verify(signed(), { secret }), TypeError, JSON.stringify(secret));
  }
});
