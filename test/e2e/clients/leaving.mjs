// What must not be left behind, however a run ends: terminals, daemons, programs, folders. Undone in the opposite order, once.

const undo = [];

/** Runs `step` when the run ends, unless it was run before by the function that is answered. */
export function whenLeaving(step) {
  let done;
  const once = () => {
    done ??= (async () => await step())();
    return done;
  };
  undo.push(once);
  return once;
}

export async function leaveNothing() {
  while (undo.length > 0)
    await undo
      .pop()()
      .catch((error) => process.stderr.write(`${error.stack}\n`));
}
