// Writing HTTP answers: JSON with the headers that every answer of the hub carries, and errors as every front door prints them.
// Invariant: nothing here is cacheable, framable, sniffable or readable by another origin; there is no CORS header anywhere.

import type { ServerResponse } from 'node:http';
import { ERROR_CODES, type ErrorAnswer } from '../hub/errors.ts';

const PLAIN_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Sets the headers of every answer, before anything else can answer. */
export function secure(response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Content-Security-Policy', PLAIN_POLICY);
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Cache-Control', 'no-store');
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** Sends an error under its own status, unless `status` says that HTTP has a more exact one (415, 405). */
export function sendError(response: ServerResponse, error: ErrorAnswer, status: number = ERROR_CODES[error.code].status): void {
  sendJson(response, status, error, errorHeaders(error));
}

/** The headers that go with an error, whoever writes it. */
export function errorHeaders(error: ErrorAnswer): Record<string, string> {
  return {
    ...(error.code === 'unauthorized' ? { 'WWW-Authenticate': 'Bearer realm="rookery"' } : {}),
    ...(error.retry_after_ms === undefined ? {} : { 'Retry-After': String(Math.ceil(error.retry_after_ms / 1_000)) }),
  };
}

/** An error of the MCP transport itself, in JSON-RPC's words. */
export function sendRpcError(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, { jsonrpc: '2.0', error: { code, message }, id: null });
}

/** Runs once the client has its answer or is gone; `finished` tells which. */
export function whenClosed(response: ServerResponse, then: (finished: boolean) => void): void {
  if (response.closed) then(response.writableFinished);
  else response.once('close', () => then(response.writableFinished));
}
