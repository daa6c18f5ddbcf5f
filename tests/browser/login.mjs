// A login as a customer's page has one: it signs tokens with keys that it publishes as a key set (RFC 7517).

import { generateKeyPairSync, sign } from "node:crypto";

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class Login {
  #keys = {
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };

  constructor(issuer, audience) {
    Object.assign(this, { issuer, audience });
  }

  /** The public keys. */
  get keySet() {
    return { keys: Object.entries(this.#keys).map(([alg, { publicKey }]) =>
      ({ ...publicKey.export({ format: "jwk" }), alg, kid: alg, use: "sig" })) };
  }

  /** A token of a customer, for so many seconds from now. */
  token(sub, { alg = "ES256", seconds = 300 } = {}) {
    const claims = { sub, iss: this.issuer, aud: this.audience, exp: Math.floor(Date.now() / 1_000) + seconds };
    const content = `${encoded({ alg, kid: alg, typ: "JWT" })}.${encoded(claims)}`;
    const key = { key: this.#keys[alg].privateKey, dsaEncoding: "ieee-p1363" };
    return `${content}.${sign("sha256", Buffer.from(content), key).toString("base64url")}`;
  }
}
