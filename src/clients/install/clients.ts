// Every client that Rookery can be installed into, in the order people ask for them.

import { claude } from './claude.ts';
import type { Client } from './client.ts';
import { codex } from './codex.ts';
import { cursor, gemini, vscode } from './editors.ts';

export const clients: readonly Client[] = [claude, codex, gemini, vscode, cursor];
