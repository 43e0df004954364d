// The end of a turn: unread mail continues it once and never twice in a row; with nothing owed, or with mere thanks, it stops at once. What
// was read in a completed turn is acknowledged without a call, and the turn is counted.

import { check, figure, title } from '../report.mjs';

export async function stopping(stage) {
  for (const which of ['claude', 'codex']) {
    title(`The end of a turn of ${which}`);
    const agent = stage.agents[which];
    await stage.drain(agent);
    await nothingOwed(stage, agent);
    await mereThanks(stage, agent);
    await unreadMail(stage, agent);
    await ignoredMail(stage, agent);
    await turnsCounted(stage, agent);
  }
}

async function nothingOwed(stage, agent) {
  const requests = await stage.turn(agent, 'Say something.', () => ({ text: 'Something.' }));
  check(
    'with nothing owed it stops at once',
    requests.length === 1,
    requests.map(({ news }) => news),
  );
}

/** A turn with mail that comes while the model is at its last words, so that no other hook could have told of it. */
async function lastWords(stage, agent, mail, then) {
  let sent;
  const requests = await stage.turn(agent, 'Say your last words.', async (view) => {
    if (sent !== undefined) return then(view);
    sent = await stage.hub.json('send', '--to', agent.name, ...mail);
    return { text: 'I am done.' };
  });
  return { requests, sent };
}

const continuations = (requests) => requests.filter(({ news }) => /Stop hook feedback|<hook_prompt/.test(news));

async function mereThanks(stage, agent) {
  const { requests } = await lastWords(stage, agent, ['--body', 'Thanks!'], () => ({ text: 'I am done.' }));
  check(
    'mere thanks let it stop',
    requests.length === 1,
    requests.map(({ news }) => news),
  );
  await stage.drain(agent);
}

async function unreadMail(stage, agent) {
  const mail = ['--subject', 'Before you go', '--body', 'One more thing.'];
  const { requests, sent } = await lastWords(stage, agent, mail, (view) =>
    view.results.length === 0 ? { tool: 'recv_batch' } : { text: 'Now I am done.' },
  );
  check(
    'unread mail continues the turn',
    continuations(requests)[0]?.news.includes('Before you go'),
    requests.map(({ news }) => news),
  );
  check('the turn ended after it was read', requests.length === 3, requests.length);
  const status = await stage.hub.json('message-status', sent?.message_id ?? '');
  check('what was read is acknowledged, without a call of the agent', status.recipients?.[0]?.state === 'acked', status);
}

async function ignoredMail(stage, agent) {
  const { requests } = await lastWords(stage, agent, ['--subject', 'Ignore me', '--body', 'Please.'], () => ({ text: 'I am done.' }));
  check(
    'unread mail that is ignored continues the turn once',
    continuations(requests).length === 1,
    requests.map(({ news }) => news),
  );
  await stage.drain(agent);
}

async function turnsCounted(stage, agent) {
  const { turns, sums } = await stage.hub.json('turns', '--agent', agent.name);
  const last = turns?.[0];
  check('its turns are counted, with model, tokens and time', last?.model && last.input_tokens > 0 && last.duration_ms > 0, last);
  figure(`${sums?.turns} turns of ${agent.which}, ${sums?.tool_calls} tool uses, ${sums?.input_tokens} tokens in`);
}
