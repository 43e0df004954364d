// Standard output of a command, its help included. A reader that goes away (`| head`) ends the command quietly.

export function writeOut(text: string): void {
  if (process.stdout.listenerCount('error') === 0)
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
  process.stdout.write(text);
}
