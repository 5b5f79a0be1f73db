// A real OpenID provider (the npm package oidc-provider) on 127.0.0.1, any free port, over http.
//
//   node provider.mjs        one line of JSON on stdout when ready; ends when stdin closes or on SIGTERM
//   ACCESS_TOKEN_TTL=5       life of an access token in seconds (default 3600)
//   TOKEN_DELAY=200          milliseconds that POST /token takes longer
//   TOKEN_PADDING=300000     bytes by which access tokens are longer; such a token is of no use here
//   REDIRECT_URI=http://...  one more redirect for each client
//   DEVICE_CODE_TTL=1        life of a device code in seconds (default 600)
//   FORGIVES=60              seconds for which a used refresh token may be used again; else that ends the grant
//
// GET /__counters tells what was asked of it, POST /__counters/reset forgets that.
// A refresh token needs scope offline_access AND prompt=consent; each use of it rotates it.
import { createServer } from 'node:http';

console.log = console.info = console.error; // oidc-provider writes notices to stdout
const { Provider } = await import('oidc-provider');

// Every client is "native": only then does oidc-provider ignore the port of a loopback
// redirect (RFC 8252 section 7.3), so registering port 0 accepts every port.
const client = (client_id, token_endpoint_auth_method, client_secret) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method,
  application_type: 'native',
  redirect_uris: [
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:0/callback/work',
    'http://[::1]:0/callback',
    ...[process.env.REDIRECT_URI ?? []].flat(),
  ],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
});

// oidc-provider allows printable ASCII in a secret and nothing else (RFC 6749 appendix A.2).
// Basic authentication must form-urlencode this one (RFC 6749 section 2.3.1).
const clients = [
  client('loopin-native', 'none'),
  client('loopin-web-basic', 'client_secret_basic', 'a:b%c+d e&f=g/h?i"j\'k~%2B'),
  client('loopin-web-post', 'client_secret_post', 'post:b%c+d e&f=g'),
];

let counters = {};
const count = (name) => { counters[name] = (counters[name] ?? 0) + 1; };

// Chromium sends the cookies of every service on 127.0.0.1: room for more than Node's 16 KiB.
const server = createServer({ maxHeaderSize: 256 * 1024 });
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;

const ttl = Number(process.env.ACCESS_TOKEN_TTL ?? 3600);
const provider = new Provider(issuer, {
  clients,
  scopes: ['openid', 'offline_access', 'read'], // one of them must be asked for
  pkce: { required: () => true }, // S256 is the only method it knows
  rotateRefreshToken: true,
  ttl: {
    AccessToken: ttl, IdToken: 3600, AuthorizationCode: 60, Interaction: 600,
    Session: 86400, Grant: 86400, RefreshToken: 86400,
    DeviceCode: Number(process.env.DEVICE_CODE_TTL ?? 600),
  },
  cookies: { keys: ['only for tests'] },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
});
if (process.env.FORGIVES) {
  const consume = provider.RefreshToken.prototype.consume;
  provider.RefreshToken.prototype.consume = async function later() {
    setTimeout(() => consume.call(this), 1000 * process.env.FORGIVES).unref();
  };
}
provider.on('grant.success', (ctx) => count(`grant ${ctx.oidc.params.grant_type}`));
provider.on('grant.error', (_, error) => count(`grant error ${error.error}`));
provider.on('grant.revoked', () => count('grant revoked'));
provider.on('server_error', (_, error) => console.error(error));

function pad(response, bytes) {
  const end = response.end.bind(response);
  response.end = (body) => {
    const reply = JSON.parse(body);
    if (!reply.access_token) return end(body);
    reply.access_token += '.'.repeat(bytes);
    const padded = JSON.stringify(reply);
    response.setHeader('content-length', Buffer.byteLength(padded));
    return end(padded);
  };
}

const oidc = provider.callback();
server.on('request', (request, response) => {
  const path = request.url.split('?')[0];
  const json = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  if (path === '/__counters') return json(counters);
  if (path === '/__counters/reset' && request.method === 'POST') { counters = {}; return json(counters); }
  // /auth/<uid> and /interaction/<uid>/login differ each time: counted as /auth/* and so on.
  count(`${request.method} ${path.replace(/^\/(auth|interaction)\/[^/]+/, '/$1/*')}`);
  if (path === '/token' && process.env.TOKEN_PADDING) pad(response, Number(process.env.TOKEN_PADDING));
  if (path === '/token' && process.env.TOKEN_DELAY) return setTimeout(oidc, process.env.TOKEN_DELAY, request, response);
  return oidc(request, response);
});

const end = () => process.exit(0);
process.on('SIGTERM', end);
process.stdin.on('end', end).on('error', end).resume();

process.stdout.write(`${JSON.stringify({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  device_authorization_endpoint: `${issuer}/device/auth`,
  revocation_endpoint: `${issuer}/token/revocation`,
  introspection_endpoint: `${issuer}/token/introspection`,
  port,
  secrets: Object.fromEntries(clients.map((c) => [c.client_id, c.client_secret])),
})}\n`);
