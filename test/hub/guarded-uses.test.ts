import { expect, it } from 'vitest';
import { guardedUse } from '../../src/hub/guarded-uses.ts';

const PATCH =
  '*** Begin Patch\n*** Update File: src/a.ts\n*** Move to: src/b.ts\n@@\n-x\n+y\n*** Add File: c d.md\n+z\n*** Delete File: old.ts\n*** End Patch';
const of = (tool: string, args: unknown) => {
  const { command, files, folder } = guardedUse({ id: 'toolu_1', tool, args, cwd: '/work/demo' });
  return { command, files, folder };
};
const nothing = { command: null, files: [], folder: '/work/demo' };

it.each([
  ['Bash', { command: 'git push -f', description: 'Push' }, { ...nothing, command: 'git push -f' }],
  [
    'shell',
    { command: ['bash', '-lc', "echo 'hi' && rm x"], workdir: '/work/demo/sub' },
    { ...nothing, command: `bash -lc 'echo '\\''hi'\\'' && rm x'`, folder: '/work/demo/sub' },
  ],
  ['exec_command', { cmd: 'ls' }, { ...nothing, command: 'ls' }],
  ['run_shell_command', { command: 'ls', directory: 'sub' }, { ...nothing, command: 'ls', folder: '/work/demo/sub' }],
  [
    'Edit',
    { file_path: '/work/demo/src/a.ts', old_string: 'x', new_string: '*** Begin Patch\n*** Add File: no.ts' },
    { ...nothing, files: ['/work/demo/src/a.ts'] },
  ],
  ['Write', { file_path: 'src/a.ts', content: '' }, { ...nothing, files: ['src/a.ts'] }],
  ['NotebookEdit', { notebook_path: 'n.ipynb' }, { ...nothing, files: ['n.ipynb'] }],
  ['apply_patch', { input: PATCH }, { ...nothing, files: ['src/a.ts', 'src/b.ts', 'c d.md', 'old.ts'] }],
  ['apply_patch', { command: PATCH }, { ...nothing, files: ['src/a.ts', 'src/b.ts', 'c d.md', 'old.ts'] }],
  [
    'Bash',
    { command: `apply_patch <<'EOF'\n${PATCH}\nEOF` },
    { ...nothing, command: `apply_patch <<'EOF'\n${PATCH}\nEOF`, files: ['src/a.ts', 'src/b.ts', 'c d.md', 'old.ts'] },
  ],
  ['Read', { file_path: 'src/a.ts' }, nothing],
  ['mcp__hub__send', { command: 'git push -f', file_path: 'x' }, nothing],
  ['Bash', null, nothing],
  ['Bash', 'git push -f', nothing],
  ['Bash', { command: 7 }, nothing],
  ['Edit', { file_path: ['x'] }, nothing],
])('%s %j', (tool, args, expected) => {
  expect(of(tool, args)).toEqual(expected);
});
