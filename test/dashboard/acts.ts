// What the operator does with the dashboard, in one line each.

import { signInLink } from '../../src/server/serve.ts';
import type { Served } from '../server/http-hub.ts';
import { operatorOf } from '../support/acts.ts';
import { openBrowser, openPage, type Watched } from './browser.ts';

/** A link that signs in, as the command line prints it. */
export async function linkTo({ hub, url }: Served): Promise<string> {
  const { code } = await hub.signIns.offer(await operatorOf(hub));
  return signInLink(url, code);
}

/** A signed-in page of a browser of its own. */
export async function signedIn(served: Served, viewport?: { width: number; height: number }): Promise<Watched> {
  const watched = await openPage(await openBrowser(viewport), await linkTo(served));
  await watched.page.getByRole('heading', { level: 1 }).waitFor();
  return watched;
}

/** Shows another page of the dashboard. */
export async function goTo({ page }: Pick<Watched, 'page'>, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { level: 1, ...(name === 'Overview' ? {} : { name }) }).waitFor();
}
