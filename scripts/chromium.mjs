// Where Chromium is, for whoever looks at the dashboard with it: its tests, its pictures and its figures.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** CHROMIUM says it, or one of the usual places; undefined where there is none. */
export const chromiumPath = [process.env.CHROMIUM ?? '', ...PLACES].find((path) => path !== '' && existsSync(path));

/** A browser with a profile of its own. */
export function launchChromium() {
  if (chromiumPath === undefined)
    throw new Error('There is no Chromium: install it (apt-get install chromium), or say where it is with CHROMIUM.');
  return chromium.launch({ executablePath: chromiumPath, args: FLAGS });
}
