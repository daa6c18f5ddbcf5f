// An app that sells credits and charges for streamed answers.
//
// The customer's page asks Topup itself for prices, the checkout and the balance, with a token of this app's login
// (public/index.html). This server has the API key, and only it spends.

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { CaptureFailed, TopupError, topup, verifyWebhook, WebhookVerificationError } from "@topup/client";
import express from "express";
import { customers, tokenOf } from "./login.mjs";
import { answer } from "./model.mjs";
import { settings } from "./settings.mjs";

const { url, apiKey, jwtSecret, webhookSecret, port } = settings();
const credits = topup({ baseUrl: url, apiKey });
/** The price of a word, in credits; how many words are reserved at a time, and the fewest that are worth beginning. */
const WORD = 1;
const STEP_WORDS = 20;
const FEWEST_WORDS = 5;

const app = express();
app.disable("x-powered-by");

// Topup tells of payments and low balances (docs: outgoing webhooks). The body is verified as it came.
app.post("/webhooks/topup", express.raw({ type: "application/json" }), async (request, response) => {
  try {
    const event = await verifyWebhook(request.body, request.headers, webhookSecret ?? []);
    console.log(`topup: ${event.type}`);
    response.sendStatus(204);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    response.status(400).json({ code: error.code });
  }
});

app.use(customers);
app.use(express.json());
app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.get("/config.json", (_, response) => void response.json({ url }));
app.get("/token", (request, response) => void response.type("text").send(tokenOf(request.customer, jwtSecret)));

/** Streams an answer as lines of JSON, and charges for the words that were written: also if the customer leaves. */
app.post("/chat", async (request, response) => {
  const { prompt = "What now", words = 50 } = request.body ?? {};
  // The name of this work, made before anything is sent: however often the hold is asked for, it is made once.
  const work = `chat-${randomUUID()}`;
  const wanted = {
    credits: STEP_WORDS * WORD, minimumCredits: FEWEST_WORDS * WORD, expiresInSeconds: 120, operation: "chat",
  };
  let hasLeft = false;
  response.once("close", () => { hasLeft = !response.writableFinished; });
  const tell = (line) => response.write(`${JSON.stringify(line)}\n`);
  try {
    const { value: end, spend } = await credits.account(request.customer).withHold(wanted, async (held) => {
      response.type("application/x-ndjson");
      for await (const word of answer(prompt, words)) {
        if (hasLeft) return "left";
        if (!(await held.use(WORD))) return held.refusal?.code ?? "insufficient_credits";
        tell({ word });
      }
      return "finished";
    }, { idempotencyKey: work });
    tell({ end, credits: spend.credits, balance: spend.balance });
    response.end();
  } catch (error) {
    refuse(response, error);
  }
});

/** Hands on what the page has to know, and logs what somebody has to look at. */
function refuse(response, error) {
  if (error instanceof CaptureFailed) {
    // A real app stores these two and captures later; a late capture is charged all the same.
    console.error(`${error.holdId}: ${error.credits} credits are not captured yet`, error.cause);
    return response.end();
  }
  if (!(error instanceof TopupError) || response.headersSent) {
    console.error(error);
    return response.headersSent ? response.end() : response.status(500).json({ code: "internal_error" });
  }
  const { code, status, availableCredits, requiredCredits } = error;
  return response.status(status || 503).json({ code, availableCredits, requiredCredits });
}

app.listen(port, () => console.log(`Shop on http://localhost:${port}`));
