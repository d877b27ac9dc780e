/** gRPC's status codes as Go prints them. */
export type GrpcCode =
  | 'OK'
  | 'Canceled'
  | 'Unknown'
  | 'InvalidArgument'
  | 'DeadlineExceeded'
  | 'NotFound'
  | 'AlreadyExists'
  | 'PermissionDenied'
  | 'ResourceExhausted'
  | 'FailedPrecondition'
  | 'Aborted'
  | 'OutOfRange'
  | 'Unimplemented'
  | 'Internal'
  | 'Unavailable'
  | 'DataLoss'
  | 'Unauthenticated'

/** A call that failed: what the server answered, or why there is no answer. */
export class GrpcError extends Error {
  override name = 'GrpcError'
  readonly code: GrpcCode
  /** The text without the code. */
  readonly details: string

  constructor(code: GrpcCode, details: string, options?: ErrorOptions) {
    super(`rpc error: code = ${code} desc = ${details}`, options)
    this.code = code
    this.details = details
  }
}
