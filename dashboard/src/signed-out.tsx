// Before anybody is signed in: how to come in, and how agents connect. It tells nothing about the hub.

import type { Refusal } from './hub-client.ts';

export function SignedOut({ refusal }: { refusal: Refusal | undefined }) {
  const { origin } = location;
  return (
    <main class="signed-out">
      <img src="/rookery.svg" alt="" width="56" height="56" />
      <h1>Rookery</h1>
      <p class="lead">The coordination hub for coding agents. This hub is running.</p>
      {refusal === undefined ? null : (
        <p class="trouble" role="alert">
          {refusal.message}
        </p>
      )}
      <h2>Come in</h2>
      <p>Print a link that signs this browser in, once and soon, on the machine of the hub:</p>
      <pre>rookery dashboard</pre>
      <h2>Connect an agent</h2>
      <p>On the same machine, with hooks and all; --dry-run shows what it writes:</p>
      <pre>rookery install claude codex</pre>
      <p>
        Over HTTP each agent needs a token, made in the agent’s project with <code>rookery token create --agent NAME</code>:
      </p>
      <pre>
        claude mcp add --transport http hub {origin}/mcp --header "Authorization: Bearer TOKEN"
        {'\n'}
        codex mcp add hub --url {origin}/mcp --bearer-token-env-var ROOKERY_TOKEN
      </pre>
    </main>
  );
}
