// Plays the customers of an application in headless Chromium, and their application: connects accounts by way of
// `loopin serve` with the very examples of docs/serve.md. The report is JSON on standard output.
//
//   KIT_SERVICE='{"service": "http://127.0.0.1:8080", "secret": "...", "port": 8081}' node customer.mjs CASE
//
//   fetch, cookie, token, link   one way to start, to the application's page
//   strangers                    pages of another site make the browser ask: `vectors`
//   attacks                      an attacker and a victim, each with cookies of their own: `rounds`
//
//   KIT_SCREENSHOT=prefix        of the page on which the person confirms; see browser.mjs
//   KIT_DOMAIN=name              a domain that leads to 127.0.0.1
//   KIT_AXE=1                    axe-core on that page (turns its CSP off)
//
// The application is http://127.0.0.1:PORT: another origin of the service's site. http://localhost:PORT is another site.
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, describe, launch, screenshots, signIn } from './browser.mjs';

const { env } = process;
const kase = process.argv[2];
const { service, secret, port, rounds = 1 } = JSON.parse(env.KIT_SERVICE);
const app = `http://127.0.0.1:${port}`;
const stranger = `http://localhost:${port}`;
const base = `${service}/api/v1/oauth2`;
const done = `${app}/oauth/done`;
const work = mkdtempSync(join(tmpdir(), 'loopin-kit-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
setTimeout(() => { console.log(JSON.stringify({ error: `${kase} is not done in 300 s` })); process.exit(1); }, 300_000).unref();

// ---- The application ----

function jwt(user, more = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'https://id.example.com', aud: 'loopin', sub: user, org_id: 'acme', orgs: ['acme'], iat: now, exp: now + 300, ...more };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

// An example of the document, between the addresses that are real here.
const documentation = readFileSync(new URL('../../../docs/serve.md', import.meta.url), 'utf8');
function example(language, has) {
  const blocks = documentation.split(`\`\`\`${language}\n`).slice(1).map((rest) => rest.split('```')[0]);
  const found = blocks.find((block) => block.includes(has));
  if (!found) throw new Error(`docs/serve.md has no ${language} with ${has}`);
  return found.replaceAll('https://connect.example.com', service).replaceAll('https://app.example.com', app)
    .replaceAll('https%3A%2F%2Fapp.example.com', encodeURIComponent(app));
}

const query = (more = {}) => new URLSearchParams({ action: 'read', appCallbackUrl: done, ...more });
const authorize = (more) => `${base}/gitlab/authorize?${query(more)}`;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
const page = (body) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>application</title>${body}`;

async function oneTimeLink(user) {
  const serviceJwt = jwt('backend', { scope: 'loopin:service' });
  let url;
  const response = { redirect: (to) => { url = to; } };
  const code = example('js', '/link').replace('userId: "ada"', `userId: ${JSON.stringify(user)}`);
  const run = Object.getPrototypeOf(async () => {}).constructor('serviceJwt', 'response', code);
  await run(serviceJwt, response);
  return url;
}

const pages = {
  // ?user: who is signed in here from now on. SameSite=None makes it the worst cookie that an application can have.
  '/sign-in': (url, response) => response
    .setHeader('set-cookie', `session=${jwt(url.searchParams.get('user'))}; Path=/; Secure; HttpOnly; SameSite=${url.searchParams.get('lax') ? 'Lax' : 'None'}`)
    .end(page('signed in')),
  '/by-fetch': (url, response) => response.end(page(`<button>Connect</button><script>
    const jwt = ${JSON.stringify(jwt(url.searchParams.get('user')))};
    document.querySelector('button').onclick = async () => { try { ${example('js', 'authorization_url')} } catch (error) { document.title = 'refused: ' + error.message; } };
  </script>`)),
  '/by-cookie': (_, response) => response.end(page(example('html', 'authorize'))),
  '/elsewhere': (url, response) => response.end(page(`<a href="${escaped(url.searchParams.get('to'))}">go</a>`)),
  '/oauth/done': (_, response) => response.end(page(`<script>
    const showConnected = (id) => { document.title = 'connected ' + id; };
    const showFailure = (error) => { document.title = 'failed ' + error; };
    ${example('js', 'showConnected')}
  </script>`)),
  '/vector': (url, response) => response.end(page(vectors[url.searchParams.get('name')](url.searchParams.get('to')))),
};

const server = createServer((request, response) => {
  const url = new URL(request.url, app);
  response.setHeader('content-type', 'text/html');
  if (pages[url.pathname]) pages[url.pathname](url, response);
  else response.writeHead(404).end();
});
await new Promise((ready) => server.listen(port, '127.0.0.1', ready));

// ---- The customer ----

const arrived = (tab) => () => tab.url().startsWith(done);
// Another domain of the service's operator leads to this machine, with a certificate that nobody signed.
const domain = env.KIT_DOMAIN ? [
  '--ignore-certificate-errors',
  `--host-resolver-rules=MAP ${env.KIT_DOMAIN} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1`,
] : [];
const open = async (options) => {
  const context = await launch(mkdtempSync(join(work, 'profile-')), { args: domain, ...options });
  return { context, tab: context.pages()[0] ?? await context.newPage() };
};
const visit = (path, more) => `${app}${path}?${new URLSearchParams(more)}`;

// A click that leads to another page, whatever it says.
async function follow(tab, selector) {
  const loaded = tab.waitForNavigation({ waitUntil: 'load' });
  await Promise.all([loaded, tab.locator(selector).first().click({ noWaitAfter: true })]);
}

async function connect(tab) {
  await signIn(tab, 'allow', arrived(tab));
  return describe(tab);
}

const flowCookies = async (context) => (await context.cookies(service)).filter(({ name }) => name.startsWith('__Host-loopin'));

// What this way shows before the provider; then what every way shows.
const ways = {
  async fetch({ tab }) {
    await tab.goto(visit('/by-fetch', { user: 'ada' }));
    await follow(tab, 'button');
  },
  async cookie({ tab }) {
    await tab.goto(visit('/sign-in', { user: 'ada', lax: 1 }));
    await tab.goto(visit('/by-cookie'));
    await follow(tab, 'a');
  },
  async token({ tab }) {
    await tab.goto(`${stranger}/elsewhere?${new URLSearchParams({ to: authorize({ token: jwt('ada') }) })}`);
    return confirm(tab);
  },
  async link({ tab }) {
    await tab.goto(`${stranger}/elsewhere?${new URLSearchParams({ to: await oneTimeLink('ada') })}`);
    return confirm(tab);
  },
};

async function confirm(tab) {
  await follow(tab, 'a');
  const seen = await describe(tab);
  if (env.KIT_SCREENSHOT) await screenshots(tab, env.KIT_SCREENSHOT);
  if (env.KIT_AXE) seen.axe = await axe(tab);
  await follow(tab, 'a.go');
  return seen;
}

async function oneWay() {
  const customer = await open({ bypassCSP: Boolean(env.KIT_AXE) });
  const report = { confirm: await ways[kase](customer) };
  const held = await flowCookies(customer.context);
  Object.assign(report, await connect(customer.tab));
  const left = (await flowCookies(customer.context)).map(({ name }) => name);
  report.cookies = held.map((cookie) => ({ ...cookie, served: !left.includes(cookie.name) }));
  await customer.context.close();
  return report;
}

// ---- Pages of another site ----

// Each makes the browser ask for `to`, with the cookies that a browser sends there.
const vectors = {
  link: (to) => `<a href="${escaped(to)}">go</a><script>document.querySelector('a').click()</script>`,
  assign: (to) => `<script>location.assign(${JSON.stringify(to)})</script>`,
  open: (to) => `<script>window.open(${JSON.stringify(to)})</script>`,
  refresh: (to) => `<meta http-equiv="refresh" content="0;url=${escaped(to)}">`,
  form: (to) => {
    const fields = [...new URL(to).searchParams].map(([name, value]) => `<input name="${name}" value="${escaped(value)}">`);
    return `<form action="${escaped(to.split('?')[0])}">${fields.join('')}</form><script>document.forms[0].submit()</script>`;
  },
  post: (to) => `<form method="post" action="${escaped(to)}"></form><script>document.forms[0].submit()</script>`,
  iframe: (to) => `<iframe src="${escaped(to)}"></iframe>`,
  img: (to) => `<img src="${escaped(to)}">`,
  script: (to) => `<script src="${escaped(to)}"></script>`,
  stylesheet: (to) => `<link rel="stylesheet" href="${escaped(to)}">`,
  prefetch: (to) => `<link rel="prefetch" href="${escaped(to)}">`,
  speculation: (to) => `<script type="speculationrules">${JSON.stringify({ prefetch: [{ urls: [to], eagerness: 'immediate' }], prerender: [{ urls: [to], eagerness: 'immediate' }] })}</script>`,
  'fetch-no-cors': (to) => `<script>fetch(${JSON.stringify(to)}, { mode: 'no-cors', credentials: 'include' }).catch(() => {})</script>`,
  'fetch-cors': (to) => `<script>fetch(${JSON.stringify(to)}, { credentials: 'include', headers: { Accept: 'application/json' } }).catch(() => {})</script>`,
  'fetch-header': (to) => `<script>fetch(${JSON.stringify(to)}, { credentials: 'include', headers: { Authorization: 'Bearer x', Accept: 'application/json' } }).catch(() => {})</script>`,
};

async function strangers() {
  const { context, tab } = await open();
  const report = { vectors: {}, provider: 0 };
  context.on('request', (request) => { if (new URL(request.url()).searchParams.has('code_challenge')) report.provider += 1; });
  let number = 0;
  for (const ticket of ['none', 'token', 'link']) {
    for (const name of Object.keys(vectors)) {
      number += 1;
      const victim = `victim-${number}`;
      const attacker = `attacker-${number}`;
      await tab.goto(visit('/sign-in', { user: victim }));
      const to = { none: () => authorize(), token: () => authorize({ token: jwt(attacker) }), link: () => oneTimeLink(attacker) }[ticket];
      const bait = await context.newPage();
      const asked = [];
      const reached = new Promise((resolve) => {
        const seen = (request) => { if (request.url().startsWith(base)) { asked.push(request.method()); resolve(); } };
        context.on('requestfinished', seen);
        context.on('requestfailed', seen);
      });
      await bait.goto(`${stranger}/vector?${new URLSearchParams({ name, to: await to() })}`, { waitUntil: 'commit' });
      // Chromium thinks twice about a guess of what a person does next; everything else comes.
      await Promise.race([reached, new Promise((late) => { setTimeout(late, name === 'speculation' ? 1500 : 60_000); })]);
      await bait.waitForLoadState().catch(() => {});
      const frame = bait.frames()[1];
      report.vectors[`${name}, ticket: ${ticket}`] = {
        asked: [...asked],
        title: await bait.title().catch(() => ''),
        framed: frame ? await frame.title().catch(() => '') : undefined,
      };
      for (const other of context.pages()) if (other !== tab) await other.close();
    }
  }
  // The same browser and the same person, by the application's own page: that the cookie was good is shown by this.
  await tab.goto(visit('/sign-in', { user: 'own' }));
  await tab.goto(visit('/by-cookie'));
  await follow(tab, 'a');
  report.own = tab.url();
  await context.close();
  return report;
}

// ---- Two browsers ----

// Goes on from here; gives the callback's address instead of asking for it. By Chromium's own protocol, since routes of
// playwright see no redirects.
async function consentUpToTheCallback({ context, tab }) {
  let answer;
  const protocol = await context.newCDPSession(tab);
  protocol.on('Fetch.requestPaused', ({ requestId, request }) => {
    answer = request.url;
    const responseHeaders = [{ name: 'content-type', value: 'text/html' }];
    const body = Buffer.from(page('held back')).toString('base64');
    return protocol.send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders, body });
  });
  await protocol.send('Fetch.enable', { patterns: [{ urlPattern: `${base}/*/callback*` }] });
  await signIn(tab, 'allow', () => answer);
  await protocol.detach();
  return answer;
}

// To the provider's first page, by the application's own navigation; the address that was asked for there.
async function beginAs({ context, tab }, user, group = 'gitlab') {
  let there;
  const note = (request) => { if (new URL(request.url()).searchParams.has('code_challenge')) there = request.url(); };
  context.on('request', note);
  await tab.goto(visit('/sign-in', { user, lax: 1 }));
  await tab.goto(`${app}/elsewhere?${new URLSearchParams({ to: `${base}/${group}/authorize?${query({ action: group === 'gitlab' ? 'read' : 'all' })}` })}`);
  await follow(tab, 'a');
  context.off('request', note);
  return there;
}

const counted = async (tab, address) => {
  const reply = await tab.goto(address);
  return { status: reply.status(), ...await describe(tab) };
};

async function round(attacker, victim, n) {
  const seen = {};
  const [eve, ada] = [`eve-${n}`, `ada-${n}`];

  // The attacker's address of the provider, opened and consented to by the victim.
  const planted = await beginAs(attacker, eve);
  await victim.tab.goto(planted);
  seen['the provider\'s address of another browser'] = await connect(victim.tab);

  // The attacker's own answer, brought by the victim's browser: the victim would work in the attacker's account.
  await beginAs(attacker, eve);
  const own = await consentUpToTheCallback(attacker);
  seen['the answer of another browser'] = await counted(victim.tab, own);
  seen['that answer, in its own browser, too late'] = await counted(attacker.tab, own);

  // The attacker's page to confirm: the victim sees whose it is; its button is of no use elsewhere.
  await victim.tab.goto(`${stranger}/elsewhere?${new URLSearchParams({ to: authorize({ token: jwt(eve) }) })}`);
  await follow(victim.tab, 'a');
  seen['an address with the attacker\'s token'] = await describe(victim.tab);
  await attacker.tab.goto(authorize({ token: jwt(eve) }));
  const button = await attacker.tab.locator('a.go').getAttribute('href');
  seen['the attacker\'s button'] = await counted(victim.tab, new URL(button, service).href);

  // A hostile provider sends the victim on to an honest one, with the state of its own flow.
  const second = new URL(await beginAs(victim, ada, 'second'));
  const honest = new URL(await beginAs(attacker, eve));
  honest.searchParams.set('state', second.searchParams.get('state'));
  honest.searchParams.set('code_challenge', second.searchParams.get('code_challenge'));
  await victim.tab.goto(honest.href);
  const mixed = await consentUpToTheCallback(victim);
  seen['mixed up: the state of one integration at the redirect of another'] = await counted(victim.tab, mixed);

  // The victim's own connection; then its answer again, here and elsewhere.
  await beginAs(victim, ada);
  const answer = await consentUpToTheCallback(victim);
  seen['the victim\'s own'] = await counted(victim.tab, answer);
  seen['again in the same browser'] = await counted(victim.tab, answer);
  seen['again in another browser'] = await counted(attacker.tab, answer);
  return seen;
}

async function attacks() {
  const [attacker, victim] = [await open(), await open()];
  const report = { rounds: [] };
  for (let n = 0; n < rounds; n += 1) report.rounds.push(await round(attacker, victim, n));
  await attacker.context.close();
  await victim.context.close();
  return report;
}

const cases = { strangers, attacks };
const report = await (cases[kase] ?? oneWay)().catch((error) => ({ error: error.stack }));
process.stdout.write(JSON.stringify(report, null, 2), () => process.exit(report.error ? 1 : 0));
