import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCredits, formatMoney, parseCredits } from "@topup/client";

test("credits are written with their decimals, and never rounded", () => {
  for (const [credits, decimals, locale, shown] of [
    [250, 0, "en", "250"], [1_234_567, 0, "en", "1,234,567"], [250, 2, "en", "2.50"], [2_500_000, 6, "en", "2.50"],
    [2_500_001, 6, "en", "2.500001"], [1, 6, "en", "0.000001"], [-50, 2, "en", "-0.50"], [123_456, 2, "de", "1.234,56"],
    [9_007_199_254_740_991, 6, "en", "9,007,199,254.740991"],
  ]) {
    assert.equal(formatCredits(credits, { decimals, locale }), shown);
  }
  assert.equal(formatCredits(5, { locale: "en", signed: true }), "+5");
});

test("what people type is the integer that the API counts", () => {
  for (const [text, decimals, credits] of [
    ["250", 0, 250], ["2.5", 2, 250], ["0.29", 6, 290_000], ["4.35", 6, 4_350_000], [".5", 1, 5],
  ]) {
    assert.equal(parseCredits(text, decimals), credits);
  }
  for (const [text, decimals] of [
    ["", 0], ["2.5", 0], ["0.001", 2], ["-1", 0], ["1e3", 0], ["ten", 0], ["99999999999999999", 0],
  ]) {
    assert.ok(Number.isNaN(parseCredits(text, decimals)), text);
  }
});

test("amounts are in the minor units that Stripe counts", () => {
  for (const [minor, currency, shown] of [
    [289, "usd", "$2.89"], [250, "jpy", "¥250"], [1_234, "kwd", "KWD 1.234"], [12_300, "huf", "HUF 123.00"],
    [12_300, "isk", "ISK 123"],
    [9_007_199_254_740_991, "usd", "$90,071,992,547,409.91"],
  ]) {
    assert.equal(formatMoney(minor, currency, "en").replace("\u00a0", " "), shown);
  }
});
