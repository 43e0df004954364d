// A real Chromium for the tests of the dashboard. Where there is none the tests are skipped, and say so.

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll } from 'vitest';
import { chromiumPath, launchChromium } from '../../scripts/chromium.mjs';
import { cleanup } from '../support/engines.ts';

export { chromiumPath };

if (chromiumPath === undefined)
  process.stderr.write('\n  The dashboard is NOT tested: there is no Chromium. Install it (apt-get install chromium) or set CHROMIUM.\n\n');

/** What a page did that a good page does not do. */
export type Watched = { page: Page; faults: string[] };

let browser: Promise<Browser> | undefined;
afterAll(async () => await (await browser)?.close());

/** A fresh browser profile, which ends with the test; the browser itself, started with a profile of its own, serves the whole file. */
export async function openBrowser(viewport = { width: 1280, height: 900 }): Promise<BrowserContext> {
  browser ??= launchChromium();
  const context = await (await browser).newContext({ viewport });
  cleanup(() => context.close());
  return context;
}

/** A page that notes every error, every dialog, and every request that leaves the hub. */
export async function openPage(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A hub that is away cannot be asked; the page says so itself.
    if (message.type() === 'error' && !message.text().includes('net::ERR_')) faults.push(`console: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) faults.push(`left the hub: ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}
