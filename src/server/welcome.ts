// The page at `/`: what this is and how to connect. It is one self-contained document without script, image or form, under a policy that
// allows exactly its own style. It tells nothing about the hub that /version does not.

import { createHash } from 'node:crypto';
import { VERSION } from '../hub/hub.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fbfaf7}' +
  'pre{background:#1c2430;color:#f2efe8;padding:1rem;overflow:auto;border-radius:6px}h1{margin-bottom:0}' +
  '@media(prefers-color-scheme:dark){body{color:#e8e4da;background:#14181f}}';

export const WELCOME_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** `url`: the address that clients use, as the hub knows it. */
export function welcomePage(url: string): string {
  const address = escaped(url);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rookery</title>
<style>${STYLE}</style>
<h1>Rookery ${VERSION}</h1>
<p>The coordination hub for coding agents: durable messages over MCP. This hub is running.</p>
<p>Every agent needs a token, made on the machine of the hub, in the agent’s project:</p>
<pre>rookery token create --agent NAME</pre>
<p>Then connect a client:</p>
<pre>claude mcp add --transport http hub ${address}/mcp --header "Authorization: Bearer TOKEN"

export ROOKERY_TOKEN=TOKEN
codex mcp add hub --url ${address}/mcp --bearer-token-env-var ROOKERY_TOKEN</pre>
<p>Routes: <code>/mcp</code> (streamable HTTP), <code>POST /api/&lt;tool&gt;</code>, <code>/events?after=&lt;seq&gt;</code> (managers and the
operator), <code>/livez</code>, <code>/readyz</code>, <code>/version</code>.</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
