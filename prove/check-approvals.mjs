// The check of approvals: each is decided once and used at most once (I9), as the database, its events and whoever was told say alike.

import { groupBy } from './evidence.mjs';

export function decidedOnce({ history, approvals, events }) {
  const bad = [];
  const eventsOf = groupBy(events, ({ subject }) => subject);
  const byApproval = (op) =>
    groupBy(
      history.filter((entry) => entry.op === op),
      (entry) => entry.about,
    );
  const [decisions, uses] = [byApproval('decide'), byApproval('consume')];
  for (const { id, state, decider, consumer } of approvals) {
    const course = (eventsOf.get(id) ?? []).map(({ type }) => type.slice('approval.'.length));
    if (course.filter((word) => word === 'approved' || word === 'denied').length > 1) bad.push(`${id} was decided twice: ${course}`);
    if (course.filter((word) => word === 'consumed').length > 1) bad.push(`${id} was used twice`);
    if (course.includes('consumed') && !course.slice(0, course.indexOf('consumed')).includes('approved'))
      bad.push(`${id} was used without a yes`);
    if (course.at(-1) !== (state === 'pending' ? 'requested' : state)) bad.push(`${id} is ${state}, its last event says ${course.at(-1)}`);
    const decided = (decisions.get(id) ?? []).filter(({ phase }) => phase === 'ok');
    if (decided.length > 1) bad.push(`${decided.map(({ client }) => client).join(' and ')} were both told to have decided ${id}`);
    for (const { client, result } of decided) {
      if (decider !== client) bad.push(`${client} was told to have decided ${id}; the database says ${decider ?? 'nobody'}`);
      if (state !== result.state && !(result.state === 'approved' && (state === 'consumed' || state === 'expired')))
        bad.push(`${client} was told ${result.state} of ${id}; it is ${state}`);
    }
    const used = (uses.get(id) ?? []).filter(({ phase, result }) => phase === 'ok' && result.valid);
    if (used.length > 1) bad.push(`${used.map(({ client }) => client).join(' and ')} both used ${id}`);
    for (const { client } of used)
      if (consumer !== client) bad.push(`${client} was told to have used ${id}; the database says ${consumer ?? 'nobody'}`);
    const unknown = (list) => (list ?? []).some(({ phase }) => phase === 'invoke');
    if (decider !== undefined && decided.length === 0 && !unknown(decisions.get(id))) bad.push(`${id} was decided by nobody's call`);
    if (consumer !== undefined && used.length === 0 && !unknown(uses.get(id))) bad.push(`${id} was used by nobody's call`);
  }
  const accepted = history.filter(({ op, phase }) => op === 'request' && phase === 'ok');
  const present = new Set(approvals.map(({ id }) => id));
  for (const { result } of accepted) if (!present.has(result.approval_id)) bad.push(`${result.approval_id} was accepted and is missing`);
  const asked = groupBy(approvals, ({ action }) => action);
  for (const [action, list] of asked) if (list.length > 1) bad.push(`"${action}" was asked for ${list.length} times under one key`);
  const refused = history.filter(({ op, phase, code }) => op === 'decide' && phase === 'fail' && code === 'conflict').length;
  const invalid = history.filter(({ op, phase, result }) => op === 'consume' && phase === 'ok' && !result.valid).length;
  return { checked: approvals.length, bad, note: `${refused} second decisions and ${invalid} second uses refused` };
}
