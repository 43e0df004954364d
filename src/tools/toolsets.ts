// The sets into which tools are put, so that a client is given what it needs and its model pays for no more.

export const TOOLSETS = ['core', 'work', 'memory', 'channels', 'manage'] as const;
export type Toolset = (typeof TOOLSETS)[number];

/** What a client is given that asks for nothing else. */
export const DEFAULT_TOOLSETS: readonly Toolset[] = ['core', 'work', 'memory'];
