// The contract as a small model: what an inbox must be, in plain lists, beside which the real hub is driven by the same commands.
// It knows nothing of SQL or transactions. After every command the two are compared delivery by delivery (I1-I6, C3, C4).

/** The agents of every sequence, with the roles that `role:` and `any:` addresses find. */
export const CAST = [
  { name: 'ana', role: 'planner' },
  { name: 'ben', role: 'worker' },
  { name: 'cal', role: 'worker' },
];
const CRASH_WINDOW_MS = 60_000;
const SILENT_MS = 60_000;
const REPEAT_MS = 60_000;

export class Model {
  now;
  /** Per recipient, every delivery it ever had, in seq order. */
  inboxes = new Map(CAST.map(({ name }) => [name, []]));
  messages = new Map();
  receipts = [];
  keys = new Map();
  pairs = new Map();
  lastSeq = 0;
  /** How often each rare path was taken: a property that never gets there proves little. */
  reached = new Map();
  /** Per agent, its newest session: a number, when it was heard of (nothing here beats for it), and when it was last shown something. */
  sessions;
  /** Since when a hub watches, and can tell who is silent. */
  openedAt;

  constructor(now) {
    this.now = now;
    this.openedAt = now;
    this.sessions = new Map(CAST.map(({ name }) => [name, { number: 1, heardAt: now, shownAt: undefined }]));
  }

  restart() {
    this.openedAt = this.now;
  }

  saw(path) {
    this.reached.set(path, (this.reached.get(path) ?? 0) + 1);
  }

  recipients(sender, to) {
    if (to === '*') return CAST.map(({ name }) => name).filter((name) => name !== sender);
    const [form, role] = to.split(':');
    if (role !== undefined) return CAST.filter((one) => one.role === role && one.name !== sender).map(({ name }) => name);
    return form.split(',').sort();
  }

  /** The earlier message that a send without a key repeats, if any. */
  repeatOf(draft) {
    const fresh = [...this.messages.values()].filter(({ createdAt }) => createdAt >= this.now - REPEAT_MS);
    const address = draft.to.split(',').sort().join(',');
    return fresh.find((one) => one.from === draft.from && one.body === draft.body && one.address === address && one.reply === draft.reply);
  }

  /** A send was accepted under this id and seq. */
  accept(id, seq, draft) {
    const address = draft.to.split(',').sort().join(',');
    const to = this.recipients(draft.from, draft.to);
    const expiresAt = draft.expiresInMs === undefined ? null : this.now + draft.expiresInMs;
    this.messages.set(id, { ...draft, id, seq, address, to, pool: draft.to.startsWith('any:'), createdAt: this.now });
    this.lastSeq = seq;
    for (const name of to) {
      const pair = `${draft.from} ${name}`;
      const senderSeq = (this.pairs.get(pair) ?? 0) + 1;
      this.pairs.set(pair, senderSeq);
      this.inboxes.get(name).push({
        id,
        seq,
        senderSeq,
        urgent: draft.urgent,
        state: 'ready',
        attempt: 0,
        readyAt: this.now,
        receipt: null,
        crashes: 0,
        expiresAt,
      });
    }
    if (draft.reply !== undefined) this.settle(draft.from, draft.reply);
  }

  delivery(name, id) {
    return this.inboxes.get(name).find((one) => one.id === id);
  }

  isOpen(delivery) {
    return delivery !== undefined && (delivery.state === 'ready' || delivery.state === 'leased');
  }

  settle(name, id) {
    const delivery = this.delivery(name, id);
    if (!this.isOpen(delivery)) return false;
    if (delivery.state === 'ready') this.take(name, id);
    delivery.state = 'acked';
    return true;
  }

  /**
   * What a receive must show: unacknowledged before new, urgent first in each, then by seq; one at a time once two sessions died of them.
   * What has run out among the first `max` is set aside instead.
   */
  expected(name, max) {
    const order = (a, b) => Number(b.urgent) - Number(a.urgent) || a.seq - b.seq;
    const inState = (state) =>
      this.inboxes
        .get(name)
        .filter((one) => one.state === state && one.readyAt <= this.now)
        .sort(order);
    for (;;) {
      const first = [...inState('leased'), ...inState('ready')].slice(0, max);
      const batch = [];
      for (const delivery of first) {
        if (this.runOut(delivery)) continue;
        if (batch.length > 0 && (batch.at(-1).crashes >= 2 || delivery.crashes >= 2)) break;
        batch.push(delivery);
      }
      if (batch.length > 0 || first.length === 0) return batch;
    }
  }

  /** The batch was shown under a receipt. */
  show(name, batch, receipt) {
    for (const delivery of batch) {
      Object.assign(delivery, { state: 'leased', attempt: delivery.attempt + 1, receipt, session: this.sessions.get(name).number });
      this.take(name, delivery.id);
    }
    this.receipts.push({ name, receipt });
    this.sessions.get(name).shownAt = this.now;
  }

  /** Whoever is first shown or answers a message for any of several has it; the others see it taken. */
  take(name, id) {
    if (!this.messages.get(id).pool) return;
    for (const [other, inbox] of this.inboxes) {
      const copy = other === name ? undefined : inbox.find((one) => one.id === id && one.state === 'ready');
      if (copy === undefined) continue;
      copy.state = 'recalled';
      this.saw('taken by another');
    }
  }

  /** What echoing a receipt acknowledges: what is still under it. Undefined when it is stale or not the caller's. */
  under(name, receipt) {
    const found = this.inboxes.get(name).filter((one) => one.receipt === receipt);
    return found.length === 0 ? undefined : found.filter((one) => this.isOpen(one)).map(({ id }) => id);
  }

  giveBack(name, id, delayMs) {
    const delivery = this.delivery(name, id);
    if (delivery.state !== 'leased') return false;
    Object.assign(delivery, { state: 'ready', readyAt: this.now + delayMs, receipt: null });
    for (const [other, inbox] of this.inboxes) {
      const copy = other === name ? undefined : inbox.find((one) => one.id === id && one.state === 'recalled');
      if (copy === undefined) continue;
      Object.assign(copy, { state: 'ready', readyAt: this.now, receipt: null });
      this.saw('offered again');
    }
    return true;
  }

  /**
   * The agent's session was replaced: if it had just been shown something, its death counts against that. Whoever was silent died when it was last
   * heard of.
   */
  supersede(name) {
    const { number, heardAt, shownAt } = this.sessions.get(name);
    this.sessions.set(name, { number: number + 1, heardAt: this.now, shownAt: undefined });
    const isSilent = this.now - heardAt > SILENT_MS && this.now - this.openedAt >= SILENT_MS;
    if (isSilent) this.saw('replaced in silence');
    const diedAt = isSilent ? heardAt : this.now;
    if (shownAt === undefined || diedAt - shownAt > CRASH_WINDOW_MS) return;
    for (const delivery of this.inboxes.get(name)) if (delivery.state === 'leased' && delivery.session === number) delivery.crashes += 1;
  }

  expire() {
    for (const delivery of [...this.inboxes.values()].flat()) this.runOut(delivery);
  }

  /** Expires a delivery whose time is over. Answers whether it did. */
  runOut(delivery) {
    if (!this.isOpen(delivery) || (delivery.expiresAt ?? this.now + 1) > this.now) return false;
    delivery.state = 'expired';
    this.saw('expired');
    return true;
  }
}
