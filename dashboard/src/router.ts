// Where the page is: in the fragment, which no server sees. `#/events?actor=alice` is the page `events` with its arguments.

import { useEffect, useState } from 'preact/hooks';

export type Place = { page: string; id: string; params: URLSearchParams };

export function placeNow(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/').map(decoded);
  return { page: page === '' ? 'overview' : page, id: rest.join('/'), params: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const moved = () => setPlace(placeNow());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

/** The address of a page. Whatever its parts are, it stays inside this page. */
export function hrefOf(page: string, id = '', params: Record<string, string> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString();
  return `#/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}${query === '' ? '' : `?${query}`}`;
}

/** Changes the arguments without a new place to go back to. */
export function refine(place: Place, changes: Record<string, string>): void {
  const params = { ...Object.fromEntries(place.params), ...changes };
  location.replace(hrefOf(place.page, place.id, params));
}

/** The code of a sign-in link, taken out of the address, so that it stays in no history. */
export function takeCode(): string | undefined {
  const code = /^#sign-in=([\w-]+)$/.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, '', '/');
  return code;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
