// What clients are told there is: tools, prompts and resources, as the protocol lists them, in JSON. It is made from the definitions, once and for
// all: scripts/bundle.mjs puts what `makeCatalogue` answers in its place, because a server that is waited for must not load every schema to list it.

import { tools } from './index.ts';
import { prompts } from './prompts.ts';
import { resources, resourceTemplates } from './resources.ts';
import { listed } from './schema.ts';
import type { Toolset } from './toolsets.ts';

export type Catalogue = {
  /** In the order in which clients list them. `json`: the tool as it is listed. */
  readonly tools: readonly { name: string; toolset: Toolset; json: string }[];
  /** Each of them a list. */
  readonly prompts: string;
  readonly resources: string;
  readonly resourceTemplates: string;
};

let made: Catalogue | undefined;

export function makeCatalogue(): Catalogue {
  made ??= {
    tools: tools.map((tool) => ({ name: tool.name, toolset: tool.toolset, json: JSON.stringify(listed(tool)) })),
    prompts: JSON.stringify(prompts.map(({ sentences: _sentences, ...one }) => one)),
    resources: JSON.stringify(resources.map((one) => ({ ...one, mimeType: 'application/json' }))),
    resourceTemplates: JSON.stringify(resourceTemplates.map((one) => ({ ...one, mimeType: 'application/json' }))),
  };
  return made;
}
