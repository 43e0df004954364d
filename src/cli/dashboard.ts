// rookery dashboard: a link that signs one browser in, for the hub that is being served; or signs every browser out.

import type { Command } from 'commander';
import { toIso } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { assertPerson } from './person.ts';

type Flags = CommonFlags & { url?: string; signOut?: boolean };

export function registerDashboard(program: Command): void {
  addCommand(program, 'dashboard', 'a link to the dashboard that signs you in, once and soon', 'rookery dashboard')
    .option('--url <address>', 'where the hub is served, if not at the configured host and port')
    .option('--sign-out', 'sign every browser out instead')
    .action(async (flags: Flags) => {
      await asOperator({ ...flags, begins: true }, async ({ hub, config, caller, terminal }) => {
        await assertPerson(hub, config);
        if (flags.signOut === true) {
          const ended = await hub.signIns.end(caller);
          if (flags.json === true) return terminal.json({ signed_out: ended });
          return terminal.line(ended === 1 ? '1 browser is signed out.' : `${ended} browsers are signed out.`);
        }
        const { askVersion } = await import('../server/busy-port.ts');
        const { addressOf } = await import('../server/origins.ts');
        const { signInLink } = await import('../server/serve.ts');
        const url = (flags.url ?? config.url ?? addressOf({ ...config, tls: config.tlsCert !== undefined })).replace(/\/+$/, '');
        if ((await askVersion(url)) !== hub.instanceId) {
          throw new HubError('unavailable', `This hub is not being served at ${url}.`, {
            hint: 'Start it with rookery serve, which prints such a link, too; or say where it is with --url.',
          });
        }
        const { code, expiresAt } = await hub.signIns.offer(caller);
        const link = signInLink(url, code);
        if (flags.json === true) return terminal.json({ url: link, expires_at: toIso(expiresAt) });
        terminal.line(link);
        process.stderr.write(`It works once, until ${toIso(expiresAt)}.\n`);
      });
    });
}
