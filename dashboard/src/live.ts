// The event stream, read with a cursor: whatever breaks, it is opened again after a while and goes on where it was, and if the hub is another
// or its history is shorter than the cursor (a restored backup), everything is to be looked at anew.

export type LiveState = { status: 'connecting' | 'live' | 'lost'; retryAt: number };

export type LiveParts = {
  headers: () => Record<string, string>;
  onEvent: (type: string) => void;
  /** Anything may have happened. `restarted`: because the hub was started anew. */
  onAnew: (restarted: boolean) => void;
  onState: (state: LiveState) => void;
  onSignedOut: () => void;
};

const FIRST_WAIT_MS = 400;
const MOST_WAIT_MS = 15_000;
/** The hub says something every half minute. */
const SILENCE_MS = 75_000;

export class Live {
  readonly #parts: LiveParts;
  readonly #stop = new AbortController();
  #cursor: number | undefined;
  #boot = '';
  #failures = 0;
  #again: (() => void) | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#parts.onState({ status: this.#failures === 0 ? 'connecting' : 'lost', retryAt: 0 });
      await this.#read().catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      this.#failures += 1;
      const wait = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
      this.#parts.onState({ status: 'lost', retryAt: Date.now() + wait });
      await new Promise<void>((resolve) => {
        this.#again = resolve;
        setTimeout(resolve, wait);
      });
    }
  }

  /** Tries again at once. */
  now(): void {
    this.#again?.();
  }

  stop(): void {
    this.#stop.abort();
    this.#again?.();
  }

  async #read(): Promise<void> {
    const silent = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, silent.signal]);
    const path = this.#cursor === undefined ? '/events' : `/events?after=${this.#cursor}`;
    const response = await fetch(path, { headers: this.#parts.headers(), signal, cache: 'no-store' });
    if (response.status === 401) this.#parts.onSignedOut();
    if (!response.ok || response.body === null) return;
    this.#opened(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const watchdog = setTimeout(() => silent.abort(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
      if (done) return;
      const frames = (rest + value).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) this.#take(frame);
    }
  }

  #opened(response: Response): void {
    const head = Number(response.headers.get('rookery-head') ?? 0);
    const boot = response.headers.get('rookery-boot') ?? '';
    const first = this.#cursor === undefined;
    const restarted = !first && boot !== this.#boot;
    if (this.#cursor === undefined || head < this.#cursor) this.#cursor = head;
    if (first || restarted) this.#parts.onAnew(restarted);
    this.#boot = boot;
    this.#failures = 0;
    this.#parts.onState({ status: 'live', retryAt: 0 });
  }

  #take(frame: string): void {
    const id = /^id: (\d+)$/m.exec(frame)?.[1];
    const text = /^data: (.*)$/m.exec(frame)?.[1];
    if (id === undefined || text === undefined) return;
    this.#cursor = Number(id);
    this.#parts.onEvent((JSON.parse(text) as { type: string }).type);
  }
}
