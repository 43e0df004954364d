// Ctrl-Z in a client's terminal stops its servers, too. Stopped in the middle of a transaction a process would hold the database's write lock,
// and everybody else would wait for it to go on. Handlers run between turns of the event loop, and no transaction outlives its turn: so this
// process stops a moment later, with nothing open. (SIGSTOP itself cannot be handled.)

export function stopBetweenTransactions(): void {
  if (process.platform === 'win32') return;
  process.on('SIGTSTP', () => process.kill(process.pid, 'SIGSTOP'));
}
