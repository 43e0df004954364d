// POST /hooks/task: the end of a task, told by a program that has its secret, in the form of Standard Webhooks. The signature is over the body
// as it came, so the body is read before it is parsed, and checked before anything of it is believed but the id of the task.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { FAILURE_CAUSES } from '../hub/vocabulary.ts';
import { parseJson, readBody } from './body.ts';

const told = z.object({
  type: z.enum(['task.completed', 'task.failed']),
  data: z.object({
    task_id: z.string().min(1).max(64),
    result: z.string().min(1).optional(),
    reason: z.string().min(1).max(8_000).optional(),
    cause: z.enum(FAILURE_CAUSES).optional(),
    artifacts: z.array(z.string().min(1).max(1_100)).max(100).optional(),
  }),
});

/** What was answered: the state that the task is in now. Errors: `invalid_input`, `unauthorized`, `conflict`, `too_large`. */
export async function endTask(
  hub: Hub,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<{ task_id: string; state: string; replayed: boolean }> {
  const body = await readBody(request, response, hub.limits.httpBodyBytes);
  const parsed = told.safeParse(parseJson(body));
  const headers = headersOf(request);
  if (!parsed.success || headers === undefined) {
    const [issue] = parsed.error?.issues ?? [];
    throw new HubError(
      'invalid_input',
      issue === undefined
        ? 'The headers webhook-id, webhook-timestamp and webhook-signature are needed.'
        : `${issue.path.join('.')}: ${issue.message}`,
      {
        hint: 'Send {"type": "task.completed", "data": {"task_id": "...", "result": "..."}} signed as Standard Webhooks has it.',
      },
    );
  }
  const { type, data } = parsed.data;
  const failed = type === 'task.failed';
  const words = failed ? (data.reason ?? data.result) : data.result;
  if (words === undefined)
    throw new HubError('invalid_input', `data.${failed ? 'reason' : 'result'}: is required.`, { hint: 'Say it in one text.' });
  const end = {
    taskId: data.task_id,
    end: failed ? ('failed' as const) : ('completed' as const),
    words,
    artifacts: data.artifacts ?? [],
    cause: data.cause ?? ('agent' as const),
  };
  const isSigned = (secret: string) => {
    try {
      new Webhook(secret).verify(body, headers, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  };
  return { task_id: end.taskId, ...(await hub.taskWebhooks.end(headers['webhook-id'], end, isSigned)) };
}

function headersOf(
  request: IncomingMessage,
): { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string } | undefined {
  const one = (name: string, most: number) => {
    const value = request.headers[name];
    return typeof value === 'string' && value !== '' && value.length <= most ? value : undefined;
  };
  const [id, timestamp, signature] = [one('webhook-id', 200), one('webhook-timestamp', 20), one('webhook-signature', 1_000)];
  if (id === undefined || timestamp === undefined || signature === undefined) return undefined;
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
}
