/** Why a container could not start: the reason and the message that its waiting status shows. */
export class StartFailure extends Error {
  override name = 'StartFailure'
  /** `ErrImagePull`, `CrashLoopBackOff`, `CreateContainerConfigError` … */
  readonly reason: string
  /** When to try again; undefined: by the usual back-off of a failed sync. */
  readonly retryAtMs: number | undefined

  constructor(reason: string, message: string, retryAtMs?: number) {
    super(message)
    this.reason = reason
    this.retryAtMs = retryAtMs
  }
}
