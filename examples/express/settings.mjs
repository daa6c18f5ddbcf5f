// Where Topup is, and what this app shares with it. By default that is `topup dev`, started in the repository's folder.

import { readFileSync } from "node:fs";

const DEV = new URL("../../.topup-dev/secrets.json", import.meta.url);

function ofTopupDev() {
  try {
    const { server_key: apiKey, jwt_secret: jwtSecret } = JSON.parse(readFileSync(DEV, "utf8"));
    return { url: "http://127.0.0.1:8080", apiKey, jwtSecret };
  } catch {
    throw new Error("start `cargo run --release -- dev --origin http://localhost:3000` in the repository's folder, "
      + "or set TOPUP_URL, TOPUP_API_KEY and TOPUP_JWT_SECRET");
  }
}

/** The settings of this app. */
export function settings(env = process.env) {
  const topup = env.TOPUP_URL
    ? { url: env.TOPUP_URL, apiKey: env.TOPUP_API_KEY, jwtSecret: env.TOPUP_JWT_SECRET }
    : ofTopupDev();
  return { ...topup, webhookSecret: env.TOPUP_OUTGOING_SECRET, port: Number(env.PORT ?? 3000) };
}
