// A strict project that uses the package. It is only type-checked, in every way in which packages are resolved.
import { all, type Balance, CaptureFailed, type Session, topup, TopupError, verifyWebhook } from "@topup/client";
import { client as pageClient, configure, CreditsMeter } from "@topup/client/elements";
import { AutoTopupElement, configure as configureAutoTopup } from "@topup/client/elements/auto-topup";
import { ManagePlan } from "@topup/client/elements/manage-plan";
import { TopupProvider, useAutoTopup, useCheckout, useCredits, usePlan } from "@topup/client/react";
import { verifyWebhook as verifyAlone } from "@topup/client/webhooks";

const server = topup({ baseUrl: "https://credits.example.com", apiKey: "topup_sk_1", maxTries: 3 });
const page = topup({ baseUrl: "https://credits.example.com", token: async ({ refresh }) => (refresh ? "new" : "old") });

export async function buy(): Promise<Session["state"]> {
  const { url, id } = await page.checkout({ credits: 250, successUrl: "https://app.example.com" });
  location.assign(url);
  const session = await page.waitForSession(id, { timeoutMs: 1_000 });
  // @ts-expect-error There is no such state.
  if (session.state === "payed") return "paid";
  return session.state;
}

export async function spend(): Promise<number> {
  const account = server.account("user_1");
  try {
    const wanted = { credits: 50, operation: "chat" };
    const { value, spend: { credits, balance } } = await account.withHold(wanted, async (held) => {
      let words = 0;
      while (await held.use(1)) words += 1;
      return words;
    }, { idempotencyKey: "chat-1" });
    return value + credits + balance.availableCredits;
  } catch (error) {
    if (error instanceof CaptureFailed) return error.credits;
    if (!(error instanceof TopupError)) throw error;
    switch (error.code) {
      case "insufficient_credits": return error.availableCredits ?? 0;
      case "spend_limit_reached": return error.limit?.usedCredits ?? 0;
      case "code_of_tomorrow": return 0;
      default: return error.fieldErrors.length;
    }
  }
}

export async function read(): Promise<Balance | undefined> {
  for await (const entry of all((query) => page.transactions(query))) console.info(entry.credits, entry.kind);
  const { entitled } = await server.account("user_1").entitlement();
  if (!entitled) console.info(await page.subscriptions(), (await page.plans())[0]?.prices[0]?.totalAmount);
  const { data, error } = await server.api.GET("/admin/topups/{id}", { params: { path: { id: "topup_1" } } });
  if (error) console.info(error.code);
  console.info(data?.state);
  // @ts-expect-error A debit needs a number of credits.
  await server.account("user_1").debit({ operation: "image" });
  // @ts-expect-error Only an account of a server's can be charged.
  page.debit({ credits: 1 });
  const event = await verifyWebhook("{}", new Headers(), "whsec_…", { toleranceSeconds: 60 });
  await verifyAlone(new Uint8Array(), { "webhook-id": "msg_1" }, ["whsec_1", "whsec_2"]);
  return event.type === "balance.low" ? page.balance() : undefined;
}

export function elements(): void {
  configure({ baseUrl: "https://credits.example.com", token: "t", locale: "de", texts: { low: "Bald leer" } });
  // @ts-expect-error There is no such text.
  configure({ baseUrl: "https://credits.example.com", texts: { lo: "Bald leer" } });
  // @ts-expect-error A page has no API key.
  configure({ baseUrl: "https://credits.example.com", apiKey: "k" });
  configureAutoTopup({ baseUrl: "https://credits.example.com", token: "t", texts: { autoTopup: { turnOn: "An" } } });
  // @ts-expect-error There is no such text.
  configureAutoTopup({ baseUrl: "https://credits.example.com", texts: { autoTopup: { low: "Bald leer" } } });
  const automatic = document.querySelector("auto-topup");
  if (automatic instanceof AutoTopupElement) void automatic.refresh();
  const plan = document.querySelector("manage-plan");
  if (plan instanceof ManagePlan) void plan.refresh();
  const meter = document.querySelector("credits-meter");
  if (meter instanceof CreditsMeter) meter.balance = { availableCredits: 5 };
  document.addEventListener("topup-paid", () => void pageClient().balance());
}

export function Component(): unknown {
  const { balance, isLoading, refresh } = useCredits();
  const { step, buy: open } = useCheckout({ successUrl: "https://app.example.com" });
  const { autoTopup, turnOff, saveCard } = useAutoTopup();
  if (autoTopup?.state === "paused" && autoTopup.reason === "no_card") void saveCard();
  // @ts-expect-error There is no such reason.
  if (autoTopup?.reason === "no_cards") void turnOff();
  const { plan, subscription, entitlement, change, preview } = usePlan();
  if (plan?.id === "basic" && !entitlement?.entitled) void preview("pro").then((price) => change("pro", price));
  // @ts-expect-error A plan is named by its id.
  if (subscription?.planId === plan) void change(plan);
  if (step === "paid") void refresh();
  return [TopupProvider({ client: page }), isLoading, balance?.availableCredits, open(250)];
}
