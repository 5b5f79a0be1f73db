// Headless Chromium, the person in front of it, and how a page looks. CHROMIUM=/usr/bin/chromium is the browser.
import { chromium } from 'playwright-core';

export const launch = (profile, { args = [], ...options } = {}) => chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  handleSIGINT: false,
  handleSIGTERM: false,
  handleSIGHUP: false,
  ...options,
  args: [
    '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-quic',
    // Nothing outside this machine is asked for: provider.mjs has web fonts on its pages.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1',
    ...args,
  ],
});

// Signs in at provider.mjs, or decides at a page with button[name=decision], until `arrived`.
export async function signIn(page, decision, arrived) {
  for (let step = 0; step < 10; step += 1) {
    const button = page.locator(`button[name=decision][value=${decision}]`);
    const abort = page.locator('a[href$="/abort"]');
    const prompt = page.locator('form:has(input[name=prompt]) button[type=submit]');
    let target;
    const found = (locator) => locator.count().catch(() => 0); // the page may be on its way already
    if (await found(button)) target = button;
    else if (await found(prompt)) target = decision === 'deny' ? abort : prompt;
    else if (arrived()) return;
    // A page that submits itself (response_mode=form_post) leads on without a click.
    else return page.waitForURL(() => arrived(), { timeout: 60_000 }).catch(() => { throw new Error(`no form of a provider on this page: ${page.url()}`); });
    for (const name of ['login', 'password']) {
      const field = page.locator(`input[name=${name}]`);
      if (await field.count()) await field.fill('person');
    }
    const next = page.waitForNavigation({ waitUntil: 'load' });
    await Promise.all([next, target.first().click({ noWaitAfter: true })]);
  }
  throw new Error('the sign-in did not end in 10 pages');
}

export const describe = async (page) => ({
  url: page.url(),
  title: await page.title(),
  text: await page.evaluate(() => document.body?.innerText ?? ''),
});

// prefix-light.png, -dark.png, -narrow.png (360 px), -wide.png (1280 px)
export async function screenshots(page, prefix) {
  const shot = async (name, colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 740 });
    await page.screenshot({ path: `${prefix}-${name}.png` });
  };
  await shot('light', 'light', 800);
  await shot('dark', 'dark', 800);
  await shot('narrow', 'light', 360);
  await shot('wide', 'light', 1280);
}

// What axe-core has to say, in both colour schemes.
export async function axe(page) {
  const { default: { source } } = await import('axe-core');
  await page.evaluate(source);
  const results = {};
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations, incomplete, passes } = await page.evaluate(() => globalThis.axe.run());
    const by_impact = {};
    for (const { impact, id, nodes } of violations) {
      (by_impact[impact] ??= []).push(`${id}: ${nodes.map((node) => node.html).join(' ')}`);
    }
    results[colorScheme] = { violations: by_impact, incomplete: incomplete.map((rule) => rule.id), passes: passes.length };
  }
  return results;
}
