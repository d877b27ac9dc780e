/** Thrown when something that must hold does not: a defect of Kubernode's own, never of its input. */
export class AssertionError extends Error {
  override name = 'AssertionError'
}

/** Fails when `condition` is false. Not for input: bad input gets an error that tells its author what to do. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
