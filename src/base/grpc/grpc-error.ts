/** gRPC's status codes, by their number, as Go prints them. */
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const

/** A status code by name. */
export type GrpcCode = (typeof codeNames)[number]

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

/** The failure that a grpc-status tells; undefined when it is OK. */
export function failureOf(status: string, message: string): GrpcError | undefined {
  return status === '0' ? undefined : new GrpcError(codeNames[Number(status)] ?? 'Unknown', unescaped(message))
}

/** What an HTTP status says where a server does not speak gRPC, by gRPC's own table. */
export function failureOfHttp(status: number): GrpcError {
  const codes: Readonly<Record<number, GrpcCode>> = {
    400: 'Internal',
    401: 'Unauthenticated',
    403: 'PermissionDenied',
    404: 'Unimplemented',
    429: 'Unavailable',
    502: 'Unavailable',
    503: 'Unavailable',
    504: 'Unavailable',
  }
  return new GrpcError(codes[status] ?? 'Unknown', `unexpected HTTP status code received from server: ${status}`)
}

/** Messages travel percent-encoded; what is no encoding is text. */
function unescaped(message: string): string {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}
