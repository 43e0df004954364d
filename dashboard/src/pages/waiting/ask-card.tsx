// A question put to the operator: choose, write, or decline with a reason. The answer reaches the asker's inbox, and its call if it waits.

import { useState } from 'preact/hooks';
import type { WaitingReply } from '../../../../src/views/waiting.ts';
import { Button, Refused } from '../../parts/button.tsx';
import { ThreadLink, Words } from '../../parts/frame.tsx';
import { Ago } from '../../parts/time.tsx';
import { useAct } from '../../store.ts';

type Ask = WaitingReply['asks'][number];

export function AskCard({ ask }: { ask: Ask }) {
  const act = useAct();
  const [words, setWords] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const answers = [...chosen, ...(words.trim() === '' ? [] : [words.trim()])];
  const answer = (given: readonly string[]) =>
    act.run('answer', { ask_id: ask.ask_id, answer: given.length === 1 ? given[0] : given }, `${ask.from} has your answer.`);
  const choose = (option: string) => {
    if (!ask.multi) return void answer([option]);
    setChosen(chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option]);
  };
  return (
    <article class="card" aria-label={`Question from ${ask.from}`}>
      <header>
        <strong>{ask.from}</strong> asks <Ago at={ask.asked_at} />
        <span class="deadline">
          ends <Ago at={ask.deadline_at} />
        </span>
      </header>
      <Words>{ask.question}</Words>
      {ask.options.length === 0 ? null : (
        <fieldset class="options">
          <legend class="visually-hidden">{ask.multi ? 'Any of' : 'One of'}</legend>
          {ask.options.map((option) => (
            <button
              type="button"
              key={option}
              class="option"
              aria-pressed={ask.multi ? chosen.includes(option) : undefined}
              disabled={act.busy}
              onClick={() => choose(option)}
            >
              {option}
            </button>
          ))}
        </fieldset>
      )}
      <textarea
        rows={2}
        value={words}
        aria-label={`Your answer to ${ask.from}`}
        placeholder={ask.options.length === 0 ? 'Your answer' : 'Or in your own words'}
        onInput={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && answers.length > 0) void answer(answers);
        }}
      />
      <footer>
        <Button
          act={act}
          kind="main"
          disabled={answers.length === 0 || (!ask.multi && answers.length > 1)}
          onClick={() => void answer(answers)}
        >
          Answer
        </Button>
        <Button
          act={act}
          onClick={() =>
            void act.run(
              'answer',
              { ask_id: ask.ask_id, decline: true, ...(words.trim() === '' ? {} : { reason: words.trim() }) },
              `${ask.from} is told that you decline.`,
            )
          }
        >
          {words.trim() === '' ? 'Decline' : 'Decline with this reason'}
        </Button>
        <ThreadLink id={ask.thread_id} />
      </footer>
      <Refused act={act} />
    </article>
  );
}
