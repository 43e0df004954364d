// Resources and prompts over MCP, with a subscription to the inbox: "something changed, look again", never the content itself.

import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  type Prompt,
  ReadResourceRequestSchema,
  type Resource,
  type ResourceTemplate,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { makeCatalogue } from '../tools/catalogue.ts';
import type { Connection } from '../tools/connection.ts';
import { toolsOf } from '../tools/index.ts';
import { prompts, promptText } from '../tools/prompts.ts';
import { INBOX_URI, readResource } from '../tools/resources.ts';
import type { McpSession } from './mcp.ts';

/** Serves resources and prompts on a session; its subscriptions end with it. */
export function serveResources(server: Server, session: McpSession): void {
  let watch: InboxWatch | undefined;
  const catalogue = makeCatalogue();
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: JSON.parse(catalogue.resources) as Resource[] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: JSON.parse(catalogue.resourceTemplates) as ResourceTemplate[],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    try {
      return {
        contents: [{ uri, mimeType: 'application/json', text: await readResource(await session.hub, await session.connection(), uri) }],
      };
    } catch (error) {
      if (isHubError(error)) throw invalidParams(`${error.message} ${error.hint ?? ''}`.trim());
      throw error;
    }
  });
  server.setRequestHandler(SubscribeRequestSchema, async ({ params: { uri } }) => {
    if (uri !== INBOX_URI) throw invalidParams(`Only ${INBOX_URI} can be subscribed to.`);
    watch ??= new InboxWatch(await session.hub, await session.connection(), () => server.sendResourceUpdated({ uri: INBOX_URI }));
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, () => {
    watch?.stop();
    watch = undefined;
    return {};
  });
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: JSON.parse(catalogue.prompts) as Prompt[] }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params: { name } }) => {
    const prompt = prompts.find((one) => one.name === name);
    if (prompt === undefined) throw invalidParams(`Unknown prompt. Prompts: ${prompts.map((one) => one.name).join(', ')}.`);
    const connection = await session.connection();
    const offered = toolsOf(connection.toolsets);
    // A client whose name is held by another session may still read how to go on.
    const caller = name === 'recover' ? await connection.callerUnlessRefused() : undefined;
    const kept = caller && (await (await session.hub).recovery.text(caller, (tool) => offered.some((one) => one.name === tool)));
    const text = [promptText(prompt, offered), ...(kept === undefined ? [] : [kept])].join('\n\n');
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
  session.alsoEnd(() => {
    watch?.stop();
    watch = undefined; // a client that comes back may subscribe again
  });
}

/** Not the SDK’s McpError: it writes the code into the words, and its client writes it there again. */
function invalidParams(message: string): Error {
  return Object.assign(new Error(message), { code: ErrorCode.InvalidParams });
}

/** Tells a subscriber when the number of messages waiting for it changed. */
class InboxWatch {
  readonly #stop = new AbortController();

  constructor(hub: Hub, connection: Connection, changed: () => Promise<void>) {
    void this.#follow(hub, connection, changed).catch(() => {});
  }

  stop(): void {
    this.#stop.abort();
  }

  async #follow(hub: Hub, connection: Connection, changed: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    const waitingNow = async () => {
      const { unread, leased } = await hub.inbox.counts(await connection.caller());
      return unread + leased;
    };
    let known = await waitingNow();
    while (!signal.aborted) {
      const { end, value } = await hub.context.waiting.until(hub.limits.waitMs, signal, async () => {
        const now = await waitingNow();
        return now === known ? {} : { found: { now } };
      });
      if (end === 'cancelled' || end === 'shutting_down') return;
      if (value === undefined) continue;
      known = value.now;
      await changed();
    }
  }
}
