// What to say when the hub cannot listen: who has the port already (this hub, another one, a stranger), and what to do about it.
// The question to the port's holder is a plain GET /version with a short patience; its answer is only compared, never shown.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { HubError } from '../hub/errors.ts';

const ASK_MS = 1_500;
const ANSWER_BYTES = 4_096;

type Asked = { url: string; host: string; port: number; instanceId: string };

/** Turns the system's error into one sentence with a remedy. All of them mean exit code 3. */
export async function whyNotListening(error: unknown, asked: Asked): Promise<HubError> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const refuse = (message: string, hint: string) => new HubError('unavailable', message, { hint, cause: error });
  if (code === 'EACCES')
    return refuse(`Port ${asked.port} may not be used by this user.`, 'Choose one above 1023: rookery serve --port 7420');
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return refuse(`${asked.host} is not an address of this machine.`, 'Leave --host out to serve this machine only.');
  if (code !== 'EADDRINUSE') return refuse(`The hub cannot listen on ${asked.url}.`, 'Choose another address with --host and --port.');
  const holder = await askVersion(asked.url);
  const other = `--port ${asked.port === 65_535 ? asked.port - 1 : asked.port + 1}`;
  if (holder === undefined) {
    return refuse(
      `Port ${asked.port} is taken by a program that is not a Rookery hub.`,
      `Stop that program, or choose another port: rookery serve ${other}`,
    );
  }
  if (holder === asked.instanceId) {
    return refuse(`This hub is already being served on port ${asked.port} (${asked.url}).`, 'Use it as it is, or stop that process first.');
  }
  return refuse(
    `Port ${asked.port} is taken by another Rookery hub, with another ROOKERY_HOME.`,
    `Choose another port: rookery serve ${other}`,
  );
}

/** The instance id of the hub at this address; undefined when it is no hub. */
export function askVersion(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const target = new URL('/version', url);
    // The holder may have a certificate of its own making; nothing secret is sent, and its answer is not trusted.
    const patience = { timeout: ASK_MS, agent: false };
    const request =
      target.protocol === 'https:' ? httpsRequest(target, { ...patience, rejectUnauthorized: false }) : httpRequest(target, patience);
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', () => resolve(undefined));
      response.on('data', (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES) request.destroy();
      });
      response.on('end', () => resolve(toInstanceId(text)));
    });
    request.end();
  });
}

function toInstanceId(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { name?: unknown; instance_id?: unknown } | null;
    return answer?.name === 'rookery' && typeof answer.instance_id === 'string' ? answer.instance_id : undefined;
  } catch {
    return undefined;
  }
}
