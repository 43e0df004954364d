// The dashboard's own files, as the build made them (dist/dashboard), read once and served from memory under exactly their names: no path of a
// request ever reaches the file system. Its policy allows the page's own scripts and styles and nothing else, and no script may be made of text.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const NOT_BUILT = '<!doctype html><title>Rookery</title><p>The dashboard is not built. Run: npm run build';

export type PageFile = { body: Uint8Array<ArrayBuffer>; headers: Record<string, string> };

/** Every file of the page by its path; `/` is always there. The folder is the same seen from src and from dist. */
export function pageFiles(folder = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url))): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = `/${name.replaceAll('\\', '/')}`;
    // Names under assets/ carry a digest of their content.
    const kept = path.startsWith('/assets/') ? { 'Cache-Control': 'public, max-age=31536000, immutable' } : {};
    files.set(path, { body: Uint8Array.from(readFileSync(`${folder}/${name}`)), headers: { 'Content-Type': type, ...kept } });
  }
  const index = files.get('/index.html')?.body ?? new TextEncoder().encode(NOT_BUILT);
  files.delete('/index.html');
  files.set('/', {
    body: index,
    headers: { 'Content-Type': TYPES['.html'] ?? '', 'Content-Security-Policy': PAGE_POLICY, 'Cross-Origin-Opener-Policy': 'same-origin' },
  });
  return files;
}
