// A server whose answers a test decides, one for each request. It speaks real HTTP, also the kind that breaks off.
import { createServer } from "node:http";

/**
 * Starts it. `answers` are given in order, the last one again and again: `{ status, body, headers }`, or `"reset"` (the
 * connection breaks before the answer), `"broken"` (in the middle of it) or `"silence"`.
 */
export async function serve(test, ...answers) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: text ? JSON.parse(text) : undefined, atMs: performance.now() });
    const planned = answers.length > 1 ? answers.shift() : answers[0];
    const answer = typeof planned === "function" ? planned(seen.at(-1)) : planned;
    if (answer === "reset") return request.socket.destroy();
    if (answer === "silence") return undefined;
    if (answer === "broken") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"id":');
      return setImmediate(() => request.socket.destroy());
    }
    const { status = 200, body = {}, headers: more = {} } = answer;
    const type = status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(status, { "content-type": type, ...more });
    return response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

/** A problem as the service sends it. */
export const problem = (status, code, more = {}, headers = {}) => ({
  status, headers,
  body: { type: `urn:topup:problem:${code}`, title: code, status, code, detail: `${code} happened`, ...more },
});
