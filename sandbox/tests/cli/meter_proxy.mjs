// Stands in for the host of Stripe's meter events: meter_proxy.mjs <sandbox's port> <key file> <certificate file>.
// Stripe's command line tool sends meter events to https://meter-events.stripe.com, whatever --api-base says. With
// HTTPS_PROXY set to the address that this prints, they reach the sandbox instead. Nothing else is let through.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';

const [port, key, cert] = process.argv.slice(2);
const HOST = 'meter-events.stripe.com:443';

const meters = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, outgoing) => {
  const { method, url: path } = incoming;
  // The sandbox answers requests for this machine only.
  const headers = { ...incoming.headers, host: `127.0.0.1:${port}` };
  const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.destroy());
  incoming.pipe(forwarded);
});

const proxy = createServer((_, response) => response.writeHead(502).end());
proxy.on('connect', ({ url }, client, head) => {
  client.on('error', () => {});
  if (url !== HOST) {
    client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    return;
  }
  const server = connect(meters.address().port, '127.0.0.1', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    server.write(head);
    server.pipe(client);
    client.pipe(server);
  });
  server.on('error', () => client.destroy());
});

meters.listen(0, '127.0.0.1', () => {
  proxy.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${proxy.address().port}`));
});
