// Code that uses the generated types and the generated client. It is compiled, never run: everything it names must
// exist in both, with these types.

import { createCheckout, getBalance, listTransactions } from "./client";
import type { components, operations } from "./types";

type Balance = components["schemas"]["Credits"];
type CheckoutBody = operations["createCheckout"]["requestBody"]["content"]["application/json"];

const body: CheckoutBody = {
  credits: 250,
  successUrl: "https://app.example.com/?session_id={CHECKOUT_SESSION_ID}",
};

export async function buy(token: string): Promise<string> {
  const { data, error } = await createCheckout({
    baseUrl: "https://credits.example.com",
    auth: token,
    headers: { "idempotency-key": crypto.randomUUID() },
    body,
  });
  if (error) {
    const reasons: string[] = (error.errors ?? []).map((field) => `${field.field}: ${field.message}`);
    throw new Error([error.code, ...reasons].join("; "));
  }
  return data?.url ?? "";
}

export async function remaining(): Promise<number> {
  const { data } = await getBalance();
  const balance: Balance | undefined = data;
  return balance?.remainingCredits ?? 0;
}

export async function firstPage(): Promise<number[]> {
  const { data } = await listTransactions({ query: { limit: 20 } });
  return (data?.data ?? []).map((entry) => entry.credits);
}
