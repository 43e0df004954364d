// What the first call of a tool needs, and nothing before it does: the tools with their schemas. Loaded then, because a server is waited for, and
// many a client only asks what there is.

export { callTool } from '../tools/call.ts';
export { findTool } from '../tools/index.ts';
