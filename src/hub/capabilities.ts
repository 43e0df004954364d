// Whether an agent can do what a task needs. Tags match exactly, never by a part of the word: `java` is not `javascript` (T-23). What else an
// agent may stand in for is declared, with a weight below 1: `{"typescript": {"javascript": 0.5}}` says that who knows javascript can be given
// typescript when nobody better is there. A version may be asked for: `node>=20` is met by `node@20.1`, not by `node@18`.

/** For a capability that is needed: which other ones do instead, and how well (0 to 1, both excluded). */
export type RelatedCapabilities = Readonly<Record<string, Readonly<Record<string, number>>>>;

const WANTED = /^([^@>=]+)>=([\d.]+)$/;

/** How well an agent with these tags (its capabilities and its role) fits: 1 exactly, 0 not at all. The weakest need decides. */
export function fitOf(needs: readonly string[], tags: ReadonlySet<string>, related: RelatedCapabilities): number {
  let fit = 1;
  for (const need of needs) {
    fit = Math.min(fit, fitOfOne(need, tags, related));
    if (fit === 0) return 0;
  }
  return fit;
}

/** What an agent lacks, for the sentence that says so. */
export function lacking(needs: readonly string[], tags: ReadonlySet<string>, related: RelatedCapabilities): string[] {
  return needs.filter((need) => fitOfOne(need, tags, related) === 0);
}

function fitOfOne(need: string, tags: ReadonlySet<string>, related: RelatedCapabilities): number {
  if (tags.has(need)) return 1;
  const [, name, least] = WANTED.exec(need) ?? [];
  if (name !== undefined && least !== undefined) {
    for (const tag of tags) {
      const [plain, version] = tag.split('@');
      if (plain === name && version !== undefined && !isOlder(version, least)) return 1;
    }
    return 0;
  }
  // A version that was not asked for does not matter.
  for (const tag of tags) if (tag.startsWith(`${need}@`)) return 1;
  let best = 0;
  for (const [other, weight] of Object.entries(related[need] ?? {})) if (tags.has(other)) best = Math.max(best, weight);
  return best;
}

/** Compares dotted numbers; a missing part is 0. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(a?.length ?? 0, b?.length ?? 0); i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
