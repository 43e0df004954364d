// Reviews as a property: whatever is handed in, judged, repeated, taken back or lost, in whatever order, the task stands where a small model says.
// The mutants break a rule in the statements of the store, to see the property turn red: a check that no mutant fails proves nothing.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/hub/caller.ts';
import { HubError } from '../../src/hub/errors.ts';
import type { Verdict } from '../../src/hub/reviews.ts';
import type { Arg, Db } from '../../src/store/db.ts';
import { attach, type Engine, onEveryEngine, sqlite, type TestHub, testHub } from '../support/engines.ts';

const REVIEWERS = ['bob', 'eve', 'joe'] as const;
const MINUTE = 60_000;
const LIMITS = { sendBurst: 100_000, sendPerSecond: 100_000, sendPerMinute: 10_000_000, taskAttempts: 50 };

type Step =
  | { do: 'hand in' | 'lose the lease' | 'cancel' }
  | { do: 'judge'; who: (typeof REVIEWERS)[number] | 'ada' | 'boss'; off: number; verdict: Verdict };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'hand in' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose the lease' } as const) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9 }).map((n): Step => ({ do: n === 0 ? 'cancel' : 'hand in' })) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('judge' as const),
      who: fc.constantFrom(...REVIEWERS, ...REVIEWERS, 'ada', 'boss'),
      off: fc.constantFrom(0, 0, 0, 0, -1, 1),
      verdict: fc.constantFrom('PASS', 'PASS', 'PASS', 'NOT_PASS'),
    }),
  },
);

/** What C8 and M-29 say, in as few words as possible. */
class Model {
  state = 'working';
  revision = 0;
  verdicts = new Map<string, Verdict>();
  readonly quorum: number;

  constructor(quorum: number) {
    this.quorum = quorum;
  }

  handIn(): boolean {
    if (this.state !== 'working' && this.state !== 'in_review') return false;
    this.state = 'in_review';
    this.revision += 1;
    this.verdicts.clear();
    return true;
  }

  judge(who: string, revision: number, verdict: Verdict): boolean {
    if (!REVIEWERS.some((name) => name === who) || revision !== this.revision) return false;
    if (this.verdicts.get(who) === verdict) return true;
    if (this.state !== 'in_review') return false;
    this.verdicts.set(who, verdict);
    if (verdict === 'NOT_PASS') this.state = 'working';
    else if (this.passed >= this.quorum) this.state = 'completed';
    return true;
  }

  get passed(): number {
    return [...this.verdicts.values()].filter((verdict) => verdict === 'PASS').length;
  }

  get owing(): string[] {
    return this.state === 'in_review' ? REVIEWERS.filter((name) => !this.verdicts.has(name)) : [];
  }
}

async function holds(engine: Engine, quorum: number, steps: readonly Step[]): Promise<void> {
  const hub = await testHub(engine, { limits: LIMITS });
  const callers = new Map<string, Caller>();
  for (const name of ['ada', ...REVIEWERS]) callers.set(name, await attach(hub, name));
  const boss = await attach(hub, 'boss', { role: 'manager' });
  const ada = callers.get('ada') ?? boss;
  const { taskId } = await hub.tasks.create(boss, { title: 'x', reviewers: REVIEWERS, quorum }, { tool: 'create_task' });
  await hub.claims.claim(ada, taskId, { tool: 'claim_task' });
  const model = new Model(quorum);
  const history: string[] = [];
  for (const one of steps) {
    history.push(JSON.stringify(one));
    const { task } = await hub.taskViews.get(boss, taskId);
    if (one.do === 'hand in') {
      const given = { fencingToken: task.fencingToken, result: 'PASS' };
      expect(await accepted(hub.taskCompletion.complete(ada, taskId, given, { tool: 'complete_task' })), history.join(' ')).toBe(
        model.handIn(),
      );
    } else if (one.do === 'judge') {
      const revision = Math.max(1, model.revision + one.off);
      const given = { taskId, revision, verdict: one.verdict, findings: ['NOT_PASS'] };
      const caller = callers.get(one.who) ?? boss;
      expect(await accepted(hub.reviews.submit(caller, given, { tool: 'submit_review' })), history.join(' ')).toBe(
        model.judge(one.who, revision, one.verdict),
      );
    } else if (one.do === 'cancel') {
      const ended = model.state === 'completed';
      expect(await accepted(hub.taskDecisions.cancel(boss, taskId, 'x', { tool: 'cancel_task' }))).toBe(!ended);
      if (!ended) model.state = 'canceled';
    } else {
      await loseLease(hub, ada, taskId);
    }
    await compare(hub, boss, taskId, model, history.join(' '));
  }
  await hub.close();
}

/** The lease runs out, and the author takes the task again under another token: that is no revision. */
async function loseLease(hub: TestHub, ada: Caller, taskId: string): Promise<void> {
  hub.fake.advance(20 * MINUTE);
  await hub.leases.expireDue();
  await hub.claims.claim(ada, taskId, { tool: 'claim_task' }).catch(() => {});
}

async function compare(hub: TestHub, boss: Caller, taskId: string, model: Model, after: string): Promise<void> {
  const { task, reviews } = await hub.taskViews.get(boss, taskId);
  const current = reviews.filter(({ revision }) => revision === task.revision);
  expect(
    {
      state: task.state,
      revision: task.revision,
      owing: reviews
        .filter(({ state }) => state === 'owed')
        .map(({ reviewer }) => reviewer)
        .sort(),
      passed: current.filter(({ state }) => state === 'passed').length,
    },
    after,
  ).toEqual({ state: model.state, revision: model.revision, owing: [...model.owing].sort(), passed: model.passed });
}

async function accepted(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof HubError && ['conflict', 'forbidden', 'stale_lease'].includes(error.code)) return false;
    throw error;
  }
}

const property = (engine: Engine) =>
  fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { minLength: 1, maxLength: 16 }), (quorum, steps) =>
    holds(engine, quorum, steps),
  );

onEveryEngine('reviews', (engine) => {
  it('stand where the model says, whatever happens in whatever order', { timeout: 120_000 }, async () => {
    await fc.assert(property(engine), { numRuns: engine.name === 'sqlite' ? 60 : 6 });
  });
});

/** SQLite with a statement that breaks a rule. */
function broken(from: string, to: string): Engine {
  return {
    name: 'sqlite',
    async open(clock, place) {
      const db = await sqlite.open(clock, place);
      const alter = <T extends object>(inner: T): T =>
        new Proxy(inner, {
          get:
            (target, key) =>
            (sql: string, ...args: Arg[]) => {
              const method = Reflect.get(target, key) as (sql: string, ...args: Arg[]) => unknown;
              return method.call(target, sql.replace(from, to), ...args);
            },
        });
      const altered: Pick<Db, 'read' | 'write'> = {
        read: (look) => db.read((read) => look(alter(read))),
        write: (scope, change, durability) => db.write(scope, (tx) => change(alter(tx)), durability),
      };
      return new Proxy(db, {
        get(target, key) {
          if (key === 'read' || key === 'write') return altered[key];
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

it.each([
  [
    'verdicts on older revisions count',
    "task_id = ? AND revision = ? AND state = 'passed'",
    "task_id = ? AND revision <= ? AND state = 'passed'",
  ],
  ['verdicts that nobody waits for stay owed', "SET state = 'moot', decided_at = ?", "SET state = 'owed', decided_at = NULL + ?"],
  ['a NOT_PASS is written as a PASS', 'SET state = ?, findings', "SET state = CASE WHEN ? = '' THEN 'owed' ELSE 'passed' END, findings"],
  ['a PASS counts twice', 'SELECT COUNT(*) AS n FROM reviews', 'SELECT 2 * COUNT(*) AS n FROM reviews'],
])('turns red when %s', { timeout: 120_000 }, async (_rule, from, to) => {
  const outcome = await fc.check(property(broken(from, to)), { numRuns: 200, endOnFailure: true, seed: 7 });
  expect([outcome.failed, String(outcome.errorInstance)]).toEqual([true, expect.stringContaining('AssertionError')]);
});
