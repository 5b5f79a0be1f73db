// Plays the person without a browser: follows the sign-in of a provider of this directory, or of loopin's own
// practice provider, to the page the loopback listener shows at the end.
//
//   node person.mjs [--deny] URL        prints the last status, URL and body; exit 0 if that was a 2xx
//   BROWSER="node .../person.mjs"       KIT_REPORT=file or FIFO  the same as JSON: { trail, status, url, body, error }
//   KIT_PERSON=person                   who signs in
//   KIT_USER_CODE=ABCD-EFGH             what is entered where a page asks for the code of a device
//   KIT_STOP=http://...                 addresses that start so are not asked for: the first is told as `stopped`
//
// node:http and not fetch: Node's fetch adds "Sec-Fetch-Mode: cors", which a listener must refuse.
import { request } from 'node:http';
import { hand } from './report.mjs';

const deny = process.argv.includes('--deny');
const start = process.argv.find((word) => /^https?:/.test(word));
if (!start) { console.error('usage: node person.mjs [--deny] URL'); process.exit(2); }

const jar = new Map(); // like a browser's: by host, whatever the port

function send(url, method = 'GET', form = '') {
  const headers = { accept: 'text/html', connection: 'close' };
  const cookies = [...jar].filter(([, c]) => c.host === url.hostname && url.pathname.startsWith(c.path));
  if (cookies.length) headers.cookie = cookies.map(([, c]) => `${c.name}=${c.value}`).join('; ');
  if (form) headers['content-type'] = 'application/x-www-form-urlencoded';
  if (form) headers['content-length'] = Buffer.byteLength(form);
  return new Promise((resolve, reject) => {
    const ask = request(url, { method, headers, agent: false }, (answer) => {
      for (const line of answer.headers['set-cookie'] ?? []) keep(url, line);
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => {
        resolve({ status: answer.statusCode, location: answer.headers.location, body: Buffer.concat(parts).toString() });
      });
    });
    ask.on('error', reject).end(form);
  });
}

function keep(url, line) {
  const [pair, ...attributes] = line.split(/;\s*/);
  const name = pair.split('=')[0];
  const path = attributes.find((a) => /^path=/i.test(a))?.slice(5) ?? '/';
  const key = `${url.hostname} ${path} ${name}`;
  if (attributes.some((a) => /^expires=Thu, 01 Jan 1970/i.test(a))) jar.delete(key);
  else jar.set(key, { host: url.hostname, path, name, value: pair.slice(name.length + 1) });
}

const unescape = (text) => text
  .replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
const attribute = (tag, name) => {
  const [, ...forms] = tag.match(new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i')) ?? [];
  return unescape(forms.find((form) => form !== undefined) ?? '');
};
const tags = (html, tag) => html.match(new RegExp(`<${tag}\\s[^>]*>`, 'gi')) ?? [];

// What providers write on the buttons of their consent pages.
const wanted = deny ? /^(deny|cancel)/i : /^(allow|approve|authorize)/i;
const person = process.env.KIT_PERSON || 'person';
const known = { login: person, username: person, password: 'practice' };
let entered; // where a device's code was entered last

// The next request this page asks of a person, or nothing if it is the last page.
function step(url, body) {
  const [form] = body.match(/<form[\s>][\s\S]*?<\/form>/i) ?? [''];
  const submits = (tag) => attribute(tag, 'type') === 'submit';
  const inputs = tags(form, 'input').filter((tag) => !submits(tag));
  const button = [...tags(form, 'button'), ...tags(form, 'input').filter(submits)].find((tag) => wanted.test(attribute(tag, 'value')));
  const signsIn = inputs.some((tag) => attribute(tag, 'name') === 'prompt' || attribute(tag, 'type') === 'password');
  const named = (name) => inputs.some((tag) => attribute(tag, 'name') === name);
  const device = named('user_code');
  if (device && !named('confirm') && url.pathname === entered) return undefined; // it was refused
  if (device) entered = url.pathname;
  if (!button && !signsIn && !device) return undefined;
  const abort = tags(body, 'a').map((tag) => attribute(tag, 'href')).find((href) => href.endsWith('/abort'));
  if (deny && !button && !device && abort) return { url: new URL(abort, url) };
  const fields = new URLSearchParams();
  for (const tag of inputs) {
    const name = attribute(tag, 'name');
    if (name) fields.append(name, attribute(tag, 'value') || known[name] || '');
  }
  if (button && attribute(button, 'name')) fields.append(attribute(button, 'name'), attribute(button, 'value'));
  if (device && !fields.get('user_code')) fields.set('user_code', process.env.KIT_USER_CODE ?? '');
  if (deny && fields.has('confirm')) {
    fields.delete('confirm');
    fields.set('abort', 'yes');
  }
  const [open] = form.match(/<form[^>]*>/i);
  const target = new URL(attribute(open, 'action') || url.href, url);
  if (/post/i.test(attribute(open, 'method'))) return { url: target, method: 'POST', form: String(fields) };
  target.search = String(fields);
  return { url: target };
}

const report = { trail: [] };
try {
  let next = { url: new URL(start) };
  while (next && report.trail.length < 30) {
    const { url, method = 'GET', form } = next;
    const { status, location, body } = await send(url, method, form);
    Object.assign(report, { status, url: url.href, body });
    report.trail.push(`${method} ${url.origin}${url.pathname} ${status}`);
    next = location ? { url: new URL(location, url) } : step(url, body);
    if (process.env.KIT_STOP && next?.url.href.startsWith(process.env.KIT_STOP)) {
      report.stopped = next.url.href;
      next = undefined;
    }
  }
} catch (error) {
  report.error = error.message;
}

hand(report);
if (report.stopped) console.log(`stopped ${report.stopped}`);
console.log(report.error ? `error: ${report.error}` : `${report.status} ${report.url}\n${report.body}`);
process.exitCode = !report.error && (report.stopped || (report.status >= 200 && report.status < 300)) ? 0 : 1;
