/** Why volumes cannot be mounted: a sentence for each, as FailedMount events say it. */
export class MountFailure extends Error {
  override name = 'MountFailure'
  readonly failures: readonly string[]
  constructor(failures: readonly string[]) {
    super(failures.join('; '))
    this.failures = failures
  }
}
