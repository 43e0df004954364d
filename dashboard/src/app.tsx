// The whole page: who is signed in, the store and the stream of the project that is looked at, and what stands around every page.

import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { HubClient, Refusal } from './hub-client.ts';
import { Live, type LiveState } from './live.ts';
import { takeCode } from './router.ts';
import { Shell } from './shell.tsx';
import { SignedOut } from './signed-out.tsx';
import { type Desk, DeskContext } from './store.ts';
import { ViewStore } from './view-store.ts';

type Session = { state: 'in' | 'out' | 'coming'; refusal?: Refusal };

/** How long views wait for the stream to be open, so that nothing happens between the two. */
const STREAM_FIRST_MS = 800;
const SAID_MS = 6_000;

export function App() {
  const [session, setSession] = useState<Session>({ state: 'coming' });
  const client = useMemo(() => new HubClient(() => setSession({ state: 'out' })), []);
  const [project, setProject] = useState(client.project);
  useEffect(() => {
    const code = takeCode();
    if (code === undefined) return setSession({ state: client.signedIn ? 'in' : 'out' });
    client.signIn(code).then(
      () => {
        setProject(client.project);
        setSession({ state: 'in' });
      },
      (error: unknown) => {
        // An old link in a browser that is signed in all the same is no obstacle.
        const refusal = error instanceof Refusal ? { refusal: error } : {};
        setSession(client.signedIn ? { state: 'in' } : { state: 'out', ...refusal });
      },
    );
  }, [client]);
  const choose = useCallback(
    (id: string) => {
      client.project = id;
      setProject(id);
    },
    [client],
  );
  if (session.state === 'coming') return <div class="loading" aria-busy="true" />;
  if (session.state === 'out') return <SignedOut refusal={session.refusal} />;
  return <Signed key={project} client={client} onProject={choose} />;
}

function Signed({ client, onProject }: { client: HubClient; onProject: (id: string) => void }) {
  const [live, setLive] = useState<LiveState>({ status: 'connecting', retryAt: 0 });
  const [said, setSaid] = useState('');
  const { store, stream } = useMemo(() => connect(client, setLive, setSaid), [client]);
  useEffect(() => {
    void stream.run();
    return () => {
      stream.stop();
      store.close();
    };
  }, [stream, store]);
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => setSaid(''), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const desk = useMemo<Desk>(() => ({ client, store, say: setSaid }), [client, store]);
  return (
    <DeskContext.Provider value={desk}>
      <Shell live={live} onReconnect={() => stream.now()} onProject={onProject} />
      <p class={said === '' ? 'said' : 'said shown'} role="status">
        {said}
      </p>
    </DeskContext.Provider>
  );
}

function connect(client: HubClient, onState: (state: LiveState) => void, say: (words: string) => void) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
    setTimeout(resolve, STREAM_FIRST_MS);
  });
  const store = new ViewStore(
    (name, params) => client.view(name, params),
    {
      now: () => performance.now(),
      later: (ms, work) => {
        const timer = setTimeout(work, ms);
        return () => clearTimeout(timer);
      },
    },
    opened,
  );
  let begun = false;
  const stream = new Live({
    headers: () => client.headers(),
    onEvent: (type) => store.touched(type),
    onAnew: (restarted) => {
      open();
      if (begun) store.touchedAll();
      begun = true;
      if (restarted) say('The hub was restarted. What you see is current again.');
    },
    onState,
    onSignedOut: () => client.forget(),
  });
  return { store, stream };
}
