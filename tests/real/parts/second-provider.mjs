// A second authorization server (the npm package @node-oauth/oauth2-server) on 127.0.0.1, any free port, over http: no
// OpenID, no metadata, no `iss`, opaque tokens, client authentication in the body, and a redirect that is compared byte
// for byte.
//
//   REDIRECT_URI=... node second-provider.mjs      one line of JSON on stdout when ready; ends when stdin closes
//   ACCESS_TOKEN_TTL=5                             life of an access token in seconds (default 3600)
//
// GET /__counters tells what was asked of it. Each use of a refresh token rotates it; a second use ends the grant.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import OAuth2Server from '@node-oauth/oauth2-server';

const { Request, Response } = OAuth2Server;
const client = {
  id: 'second',
  secret: 'second:b%c+d e&f=g',
  grants: ['authorization_code', 'refresh_token'],
  redirectUris: [process.env.REDIRECT_URI],
  accessTokenLifetime: Number(process.env.ACCESS_TOKEN_TTL ?? 3600),
};
const known = ['profile', 'write'];
const codes = new Map();
const tokens = []; // every pair that was ever given, with the grant that it belongs to
let counters = {};
const count = (name) => { counters[name] = (counters[name] ?? 0) + 1; };
const end = (grant) => { for (const token of tokens) if (token.grant === grant) token.ended = true; };

const oauth = new OAuth2Server({
  model: {
    getClient: (id, secret) => (id === client.id && (secret === null || secret === client.secret) ? client : null),
    validateScope: (_, __, scope) => (scope?.every((word) => known.includes(word)) ? scope : false),
    saveAuthorizationCode(code, _, user) {
      codes.set(code.authorizationCode, { ...code, client, user: { ...user, grant: randomUUID() } });
      return codes.get(code.authorizationCode);
    },
    getAuthorizationCode: (code) => codes.get(code),
    revokeAuthorizationCode: ({ authorizationCode }) => codes.delete(authorizationCode),
    saveToken(token, _, user) {
      const pair = { ...token, client, user, grant: user.grant };
      tokens.push(pair);
      return pair;
    },
    getAccessToken: (text) => tokens.find((token) => token.accessToken === text && !token.ended),
    getRefreshToken(text) {
      const token = tokens.find(({ refreshToken }) => refreshToken === text);
      if (token?.used) { count('reuse'); end(token.grant); }
      return token?.ended ? undefined : token;
    },
    revokeToken(token) {
      const unused = !token.used;
      token.used = true;
      return unused;
    },
  },
});

const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}`;
const escaped = (text) => text.replace(/[^\w .:/-]/g, (c) => `&#${c.codePointAt(0)};`);

// The person decides here; the fields of the request go along in the form.
function consent(query) {
  const fields = Object.entries(query).map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
  const buttons = ['allow', 'deny'].map((word) => `<button name="decision" value="${word}">${word}</button>`);
  return page('Second provider', `<form method="post" action="/authorize">${fields.join('')}${buttons.join('')}</form>`);
}

async function answer(request, url, form) {
  const query = Object.fromEntries(url.searchParams);
  const body = Object.fromEntries(new URLSearchParams(form));
  const asked = new Request({ method: request.method, headers: request.headers, query: request.method === 'POST' ? {} : query, body });
  const reply = new Response({ headers: {} });
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /__counters': return { body: counters };
    case 'GET /authorize': return { html: consent(query) };
    case 'POST /authorize':
      asked.body.allowed = body.decision === 'allow' ? 'true' : 'false';
      await oauth.authorize(asked, reply, { authenticateHandler: { handle: () => ({ id: 'person' }) } }).catch((error) => {
        if (!reply.headers.location) throw error;
      });
      break;
    case 'POST /token':
      await oauth.token(asked, reply).catch((error) => { count(`token error ${error.name}`); if (!reply.body?.error) throw error; });
      break;
    case 'GET /userinfo':
      return { body: (await oauth.authenticate(asked, reply)).user };
    case 'POST /revoke': { // RFC 7009; the package has none
      if (body.client_id !== client.id || body.client_secret !== client.secret) return { status: 401, body: { error: 'invalid_client' } };
      const token = tokens.find(({ accessToken, refreshToken }) => [accessToken, refreshToken].includes(body.token));
      if (token) end(token.grant);
      return { body: {} };
    }
    default: return { status: 404, html: page('Nothing here', '') };
  }
  return { status: reply.status, headers: reply.headers, body: reply.body };
}

const server = createServer({ maxHeaderSize: 256 * 1024 }, async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const url = new URL(request.url, 'http://127.0.0.1');
  if (url.pathname !== '/__counters') count(`${request.method} ${url.pathname}`);
  const failed = (error) => ({ status: error.code ?? 500, body: { error: error.name, error_description: error.message } });
  const { status = 200, headers = {}, body, html } = await answer(request, url, Buffer.concat(parts).toString()).catch(failed);
  response.writeHead(status, { ...headers, 'content-type': html ? 'text/html' : 'application/json' }).end(html ?? JSON.stringify(body ?? {}));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
process.on('SIGTERM', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();

const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  userinfo_endpoint: `${issuer}/userinfo`,
  secrets: { [client.id]: client.secret },
}));
