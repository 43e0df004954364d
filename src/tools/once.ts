// Schemas are made when they are asked for: a server that is called has some forty tools, and its client uses a few of them.

/** Answers what `make` does, which is done the first time. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
