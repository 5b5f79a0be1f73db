// @cloudflare/workers-oauth-provider (npm) in workerd by miniflare, on 127.0.0.1, any free port, over http: metadata, `iss`,
// opaque tokens, any port of a loopback redirect, and the refresh token before the last one is still good.
//
//   REDIRECT_URI=... node cloudflare-provider.mjs     one line of JSON on stdout when ready; ends when stdin closes
//
// Wants Node 22. GET /resource takes a token; POST /__end ends all grants, as an administrator would.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Miniflare } from 'miniflare';

// The issuer is told to the worker before it listens.
const port = await new Promise((free) => {
  const holder = createServer().listen(0, '127.0.0.1', () => {
    const { port } = holder.address();
    holder.close(() => free(port));
  });
});
const issuer = `http://127.0.0.1:${port}`;
const source = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const library = './node_modules/@cloudflare/workers-oauth-provider/dist/oauth-provider.js';
const miniflare = new Miniflare({
  host: '127.0.0.1',
  port,
  compatibilityDate: '2026-07-01',
  handleRuntimeStdio: (out, error) => [out, error].forEach((stream) => stream.resume()),
  handleStructuredLogs: () => {}, // its log has no reader
  kvNamespaces: ['OAUTH_KV'],
  bindings: { ISSUER: issuer, REDIRECT_URI: process.env.REDIRECT_URI },
  modules: [
    { type: 'ESModule', path: 'worker.mjs', contents: source('./cloudflare-worker.mjs') },
    { type: 'ESModule', path: 'oauth-provider.js', contents: source(library) },
  ],
});
await miniflare.ready;
const [open, confidential] = await (await miniflare.dispatchFetch(`${issuer}/__clients`)).json();

const end = () => miniflare.dispose().finally(() => process.exit(0));
process.on('SIGTERM', end);
process.stdin.on('end', end).on('error', end).resume();
console.log(JSON.stringify({
  issuer,
  resource_endpoint: `${issuer}/resource`,
  public: open.clientId,
  confidential: confidential.clientId,
  secrets: { [confidential.clientId]: confidential.clientSecret },
}));
