// A login, as small as one can be: who comes gets an account and a cookie. Yours has passwords or passkeys.

import { createHmac, randomUUID } from "node:crypto";

const TOKEN_SECONDS = 300;
const sessions = new Map();

/** Finds the customer of a request, or makes a new one. */
export function customers(request, response, next) {
  const cookie = request.headers.cookie?.match(/(?:^|; )session=([\w-]+)/)?.[1];
  request.customer = sessions.get(cookie);
  if (!request.customer) {
    const session = randomUUID();
    request.customer = `customer_${randomUUID()}`;
    sessions.set(session, request.customer);
    response.cookie("session", session, { httpOnly: true, sameSite: "lax" });
  }
  next();
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with which the customer's page may ask Topup: a JWT (HS256) whose subject is the account. */
export function tokenOf(customer, secret) {
  const content = `${encoded({ alg: "HS256", typ: "JWT" })}.`
    + encoded({ sub: customer, exp: Math.floor(Date.now() / 1_000) + TOKEN_SECONDS });
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}
