// Plays the person in a real headless Chromium: signs in at provider.mjs, or at loopin's own
// practice provider (button[name=decision]), to the page the loopback listener shows at the end.
//
//   BROWSER="node .../chromium.mjs"      or by hand: node chromium.mjs URL
//
//   CHROMIUM=/usr/bin/chromium   the browser
//   KIT_CASE=plain               allow;  or
//            deny                refuse
//            cookie-nonascii     another port has set the cookie dev=café
//            cookie-60k          another port has set 60,000 bytes of cookies
//            reload              afterwards ask for the callback again, reload, go back: `again`
//            hostile             before consent, other pages send forged callbacks: `vectors`
//   KIT_PROFILE=dir              user data directory to keep; else a fresh one, removed at the end
//   KIT_REPORT=file or FIFO      JSON: what the page said, its cookies, every request to the callback port, ...
//   KIT_SCREENSHOT=prefix        prefix-light.png, -dark.png, -narrow.png (360 px), -wide.png (1280 px)
//   KIT_AXE=1                    axe-core on the last page, light and dark (turns the page's CSP off)
//   KIT_DETACH=1                 return at once with exit 0 and go on in a child of its own
//   KIT_TIMEOUT=60               seconds
//
// The requests come from Chromium's own network log, so favicons, prefetches and connections
// that never send a byte are in it, which page events leave out. Needs: npm ci, Debian's chromium.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const env = process.env;
const start = process.argv.find((word) => /^https?:/.test(word));
if (!start) { console.error('usage: node chromium.mjs URL'); process.exit(2); }

if (env.KIT_DETACH) {
  const self = fileURLToPath(import.meta.url);
  spawn(process.execPath, [self, start], { detached: true, stdio: 'ignore', env: { ...env, KIT_DETACH: '' } }).unref();
  process.exit(0);
}

const { hand } = await import('./report.mjs');
const { axe, describe, launch, screenshots, signIn } = await import('./browser.mjs');
const kase = env.KIT_CASE || 'plain';
const work = mkdtempSync(join(tmpdir(), 'loopin-kit-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

const netlog = join(work, 'net.json');
const report = { case: kase, console_errors: [] };
const servers = [];
let context;
let authorize; // the first URL with a redirect_uri: the authorization request
let redirect; // its redirect_uri
let delivered = false; // a request to the redirect_uri was seen in a tab

let finished = false;

const late = setTimeout(() => finish(new Error(`not done in ${env.KIT_TIMEOUT || 60} s`)), 1000 * (env.KIT_TIMEOUT || 60));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => finish(new Error(signal)));

async function play() {
  context = await launch(env.KIT_PROFILE || join(work, 'profile'), {
    bypassCSP: Boolean(env.KIT_AXE),
    args: [`--log-net-log=${netlog}`],
  });
  context.on('request', watch);
  const page = context.pages()[0] ?? await context.newPage();
  page.on('console', (line) => { if (line.type() === 'error') report.console_errors.push({ page: page.url(), text: line.text() }); });
  page.on('pageerror', (error) => report.console_errors.push({ page: page.url(), text: String(error) }));

  if (kase === 'cookie-nonascii') await page.goto(await cookieSetter(['dev=café']));
  if (kase === 'cookie-60k') await page.goto(await cookieSetter(sixtyKilobytes()));
  await page.goto(start);
  if (kase === 'hostile') await openHostilePages();
  await signIn(page, kase === 'deny' ? 'deny' : 'allow', () => delivered);

  Object.assign(report, await describe(page));
  report.cookies = (await context.cookies(redirect.href)).map(({ name }) => name);
  await pause(500); // a favicon is asked for some 80 ms after the page
  if (env.KIT_SCREENSHOT) await screenshots(page, env.KIT_SCREENSHOT);
  if (env.KIT_AXE) report.axe = await axe(page);
  if (kase === 'reload') report.again = await again(page);
}

function watch(request) {
  const url = new URL(request.url());
  if (!authorize && url.searchParams.has('redirect_uri')) {
    authorize = url;
    redirect = new URL(url.searchParams.get('redirect_uri'));
  }
  if (redirect && request.isNavigationRequest() && url.origin === redirect.origin
    && url.pathname === redirect.pathname && !url.searchParams.get('code')?.startsWith('forged')) {
    delivered = true;
    report.callback ??= url.href;
  }
}

// ---- The person ----

// What a person sees who asks for the callback again, reloads the last page, or goes back.
// The listener may be gone by then: that shows as `error`.
async function again(page) {
  const seen = [];
  const last = report.url;
  const look = async (how, act) => {
    const answer = await act().catch((error) => ({ error }));
    if (answer?.error) seen.push({ how, error: answer.error.message.split('\n')[0] });
    else seen.push({ how, status: answer?.status() ?? null, ...await describe(page) });
  };
  await look('callback', () => page.goto(report.callback));
  await look('last page', () => page.goto(last));
  await look('reload', () => page.reload());
  await look('back', () => page.goBack());
  return seen;
}

// ---- Other local servers: foreign cookies and hostile pages ----

async function serve(handler) {
  const server = createServer({ maxHeaderSize: 256 * 1024 }, handler);
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  servers.push(server);
  return server.address().port;
}

async function cookieSetter(cookies) {
  const raw = cookies.map((cookie) => Buffer.from(`${cookie}; Path=/`, 'utf8').toString('latin1'));
  const port = await serve((_, response) => response.setHeader('set-cookie', raw).end(Buffer.from('cookies'))); // a string would be sent as UTF-8, head and all
  return `http://127.0.0.1:${port}/`;
}

// Chromium takes 4096 bytes a cookie. With "; " between them these make a header of 60,000 bytes.
function sixtyKilobytes() {
  return Array.from({ length: 16 }, (_, n) => `foreign${String(n).padStart(2, '0')}=`.padEnd(n < 15 ? 3748 : 3750, 'x'));
}

// Each vector asks for the callback with the right state and a forged code that names the vector.
const vectors = {
  img: (url) => `<img src="${url}">`,
  'fetch-no-cors': (url) => `<script>fetch("${url}", { mode: 'no-cors', credentials: 'include' }).catch(() => {})</script>`,
  'fetch-cors': (url) => `<script>fetch("${url}", { mode: 'cors' }).catch(() => {})</script>`,
  'fetch-preflight': (url) => `<script>fetch("${url}", { mode: 'cors', headers: { 'x-kit': '1' } }).catch(() => {})</script>`,
  iframe: (url) => `<iframe src="${url}"></iframe>`,
  'post-form': (url) => `<iframe name="into"></iframe><form method="post" target="into" action="${url}"><input name="code" value="forged"></form><script>document.forms[0].submit()</script>`,
  prefetch: (url) => `<link rel="prefetch" href="${url}">`,
  script: (url) => `<script src="${url}"></script>`,
  stylesheet: (url) => `<link rel="stylesheet" href="${url}">`,
};

// From `localhost` (another site) and from 127.0.0.1 (the same site, another port).
async function openHostilePages() {
  const port = await serve((request, response) => {
    const from = new URL(`http://${request.headers.host}`).hostname;
    const pages = Object.entries(vectors).map(([name, html]) => {
      const url = new URL(redirect);
      url.searchParams.set('code', `forged-${from}-${name}`);
      url.searchParams.set('state', authorize.searchParams.get('state'));
      return html(name.startsWith('fetch') ? url.href : url.href.replaceAll('&', '&amp;'));
    });
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>hostile</title>${pages.join('\n')}`);
  });
  for (const host of ['localhost', '127.0.0.1']) {
    const tab = await context.newPage();
    await tab.goto(`http://${host}:${port}/`, { waitUntil: 'load' });
    await pause(1500); // a prefetch starts when the page is idle
    await tab.close();
  }
}

// ---- The report ----

// Requests and connections to the callback's host and port, from Chromium's network log.
// The log is one event a line, so that a log cut short can be read as well.
function networkLog() {
  const lines = readFileSync(netlog, 'utf8').split('\n');
  const { logEventTypes: types } = JSON.parse(lines[0].replace(/,\s*$/, '}')).constants;
  const requests = new Map();
  let connections = 0;
  for (const line of lines.slice(1)) {
    let event;
    try { event = JSON.parse(line.replace(/(,|\]\s*\}?)\s*$/, '')); } catch { continue; }
    const { params = {}, source, type } = event;
    if (type === types.TCP_CONNECT_ATTEMPT && params.address === redirect.host) connections += 1;
    if (type === types.URL_REQUEST_START_JOB && params.url?.startsWith(`${redirect.origin}/`)) {
      const list = requests.get(source.id) ?? [];
      requests.set(source.id, [...list, { method: params.method, url: params.url, status: null }]);
    }
    const now = requests.get(source?.id)?.at(-1);
    if (!now) continue;
    if (type === types.HTTP_TRANSACTION_SEND_REQUEST_HEADERS) {
      const header = (name) => params.headers.find((h) => h.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1).trim();
      now.sent = true;
      now.sec_fetch = ['dest', 'mode', 'site'].map((name) => header(`sec-fetch-${name}`) ?? '-').join(' ');
      now.sec_purpose = header('sec-purpose');
      now.referer = header('referer');
      now.cookie = header('cookie'); // Chromium writes only how long it was
    }
    if (type === types.HTTP_TRANSACTION_READ_RESPONSE_HEADERS) now.status = Number(params.headers[0].split(' ')[1]);
  }
  return { connections, requests: [...requests.values()].flat() };
}

function vectorResults(requests) {
  const results = {};
  for (const from of ['localhost', '127.0.0.1']) {
    for (const name of Object.keys(vectors)) {
      const found = requests.filter((request) => new URL(request.url).searchParams.get('code') === `forged-${from}-${name}`);
      results[`${name} from ${from}`] = found.map(({ method, status, sent = false, sec_fetch, sec_purpose }) => ({ method, sent, status, sec_fetch, sec_purpose }));
    }
  }
  return results;
}

async function finish(error) {
  if (finished) return;
  finished = true;
  clearTimeout(late);
  // Closing in order, not killing, makes Chromium write its session files and its network log.
  await context?.close().catch(() => {});
  for (const server of servers) { server.closeAllConnections(); server.close(); }
  if (error) report.error = error.message.split('\n')[0];
  if (redirect) Object.assign(report, networkLog());
  if (kase === 'hostile' && report.requests) report.vectors = vectorResults(report.requests);
  hand(report);
  console.log(error ? `error: ${report.error}` : `${report.title}\n${report.url}`);
  process.exit(error ? 1 : 0);
}

await play().then(() => finish(), finish);
