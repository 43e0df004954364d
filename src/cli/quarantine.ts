// rookery quarantine: keeps a message from whoever has not read it yet, or an agent from doing anything, until a person has looked.

import type { Command } from 'commander';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { printSafeLine } from './print-safe.ts';

const KEY = 'agent.quarantine';

export function registerQuarantine(program: Command): void {
  addCommand(
    program,
    'quarantine <message-or-agent>',
    'keep a message from who has not read it, or an agent from every call, until it is released',
    'rookery quarantine worker-3',
  )
    .option('--release', 'let the agent go on')
    .action(async (name: string, flags: CommonFlags & { release?: boolean }) => {
      await asOperator(flags, async ({ hub, caller, config, terminal }) => {
        await assertPerson(hub, config);
        if (name.startsWith('msg_')) {
          if (flags.release === true) throw usage('A message is released to one recipient at a time.', `rookery requeue ${name} --to NAME`);
          const result = await hub.deliveries.quarantine(caller, name);
          if (flags.json === true) return terminal.json(result);
          terminal.line(
            result.withheld.length === 0
              ? 'Nobody is left to keep it from.'
              : `Kept from ${printSafeLine(result.withheld.join(', '))}; rookery requeue gives it back.`,
          );
          if (result.already_read.length > 0) terminal.line(`Already acknowledged by ${printSafeLine(result.already_read.join(', '))}.`);
          return;
        }
        const target = { level: 'agent' as const, agent: name };
        if (flags.release === true) await hub.policies.unset(caller, target, KEY);
        else await hub.policies.set(caller, target, KEY, 'yes');
        if (flags.json === true) return terminal.json({ agent: name, quarantined: flags.release !== true });
        terminal.line(
          flags.release === true
            ? `${printSafeLine(name)} may go on.`
            : `${printSafeLine(name)} is in quarantine: its calls are refused from the next one on, and it is not woken. Its mail waits. rookery quarantine ${printSafeLine(name)} --release lets it go on.`,
        );
      });
    });
}
