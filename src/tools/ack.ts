// ack: acknowledge or return what recv_batch showed.

import * as z from 'zod';
import { LIMITS } from '../hub/limits.ts';
import { defineTool } from './tool.ts';
import { messageId } from './words.ts';

const ids = z.array(messageId).min(1).max(100).optional();

export const ack = defineTool({
  name: 'ack',
  title: 'Acknowledge messages',
  description:
    'Acknowledge a batch by its receipt (but those in except), or single messages by id. nack_ids returns messages to your inbox after delay_seconds. Repeating it is harmless.',
  access: 'write',
  toolset: 'core',
  idempotent: true,
  as: true,
  input: () => ({
    receipt: z.string().max(64).optional(),
    ids,
    except: ids.describe('ids to leave unacknowledged'),
    nack_ids: ids.describe('ids to return for later'),
    delay_seconds: z
      .number()
      .min(0)
      .max(86_400)
      .optional()
      .describe(`before a returned message is ready; default ${LIMITS.nackDelayMs.value / 1000}`),
    reason: z.string().max(200).optional(),
  }),
  output: () => ({
    acked: z.array(z.string()),
    already: z.array(z.string()).optional(),
    returned: z.array(z.string()).optional(),
    closed: z.array(z.string()).optional().describe('ended otherwise meanwhile: expired, recalled or dead'),
  }),
  async run({ hub, caller, key, args }, input) {
    const { already, returned, closed, ...result } = await hub.inbox.acknowledge(
      caller,
      {
        receipt: input.receipt,
        ids: input.ids,
        except: input.except,
        nackIds: input.nack_ids,
        delayMs: input.delay_seconds === undefined ? hub.limits.nackDelayMs : Math.round(input.delay_seconds * 1000),
        reason: input.reason,
      },
      { tool: 'ack', key, args },
    );
    return {
      ...result,
      ...(already.length === 0 ? {} : { already }),
      ...(input.nack_ids === undefined ? {} : { returned }),
      ...(closed.length === 0 ? {} : { closed }),
    };
  },
});
