// What the hub is told of the files of a project: whether one is there, and what it holds. An interface, because the hub has no environment
// of its own (invariant 9).

export interface ProjectFiles {
  /**
   * The SHA-256 of a file below a folder, in hexadecimal. Null when there is no such file, when a link leads out of the folder, or when it is
   * larger than `maxBytes`: what cannot be checked is not there.
   */
  digestBelow(root: string, path: string, maxBytes: number): Promise<string | null>;
}
