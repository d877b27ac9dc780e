import type { Status } from '../generated/types/meta-v1.ts'
import type { FieldErrors } from '../validation/field.ts'

/** A failed API request: the `Status` that the server answers, thrown and caught as an error on both sides. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: Status
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? `HTTP ${status.code}`, options)
    this.status = status
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** What a request was about, for the texts and details of its errors. */
export interface Subject {
  readonly group: string
  readonly plural: string
}

const qualified = ({ group, plural }: Subject) => (group ? `${plural}.${group}` : plural)

function failure(code: number, reason: string, message: string, details?: Status['details']): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code,
  })
}

const detailsOf = ({ group, plural }: Subject, name: string): Status['details'] => ({
  ...(name && { name }),
  ...(group && { group }),
  kind: plural,
})

/** 404: `pods "web" not found`. */
export const notFound = (subject: Subject, name: string): ApiError =>
  failure(404, 'NotFound', `${qualified(subject)} "${name}" not found`, detailsOf(subject, name))

/** 404 for a path that nothing serves. */
export const noSuchPath = (): ApiError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {})

/** 409: created twice. */
export const alreadyExists = (subject: Subject, name: string): ApiError =>
  failure(409, 'AlreadyExists', `${qualified(subject)} "${name}" already exists`, detailsOf(subject, name))

/** 409: an update from an old version, or a precondition that does not hold. */
export const conflict = (
  subject: Subject,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): ApiError =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`,
    detailsOf(subject, name),
  )

/** 422: what validation found. `kind` is the object's kind, as upstream puts it. */
export function invalid(group: string, kind: string, name: string, errors: FieldErrors): ApiError {
  // What is found twice is told once; the causes name it as often as it was found.
  const texts = [...new Set(errors.list.map(({ field, message }) => `${field}: ${message}`))]
  const message = `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`
  const causes = errors.list.map(({ reason, message, field }) => ({ reason, message, field }))
  return failure(422, 'Invalid', message, {
    ...(name && { name }),
    ...(group && { group }),
    ...(kind && { kind }),
    causes,
  })
}

/** 400: the request itself cannot be understood. */
export const badRequest = (message: string): ApiError => failure(400, 'BadRequest', message)

/** 401: no credentials, or wrong ones. */
export const unauthorized = (): ApiError => failure(401, 'Unauthorized', 'Unauthorized')

/** 403, in upstream's words: `pods "web" is forbidden: …`. */
export const forbidden = (subject: Subject, name: string, why: string): ApiError =>
  failure(
    403,
    'Forbidden',
    name ? `${qualified(subject)} "${name}" is forbidden: ${why}` : `${qualified(subject)} is forbidden: ${why}`,
    detailsOf(subject, name),
  )

/** 405: the resource is there, the verb is not. */
export const methodNotSupported = (subject: Subject, action: string): ApiError =>
  failure(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${qualified(subject)}"`,
    detailsOf(subject, ''),
  )

/** 406: none of the accepted media types can be given. */
export const notAcceptable = (accepted: readonly string[]): ApiError =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`)

/** 410: the resource version or continue token is too old. */
export const expired = (message: string): ApiError => failure(410, 'Expired', message)

/** 413: the body is larger than the server reads. */
export const tooLarge = (message: string): ApiError => failure(413, 'RequestEntityTooLarge', message)

/** 415: the body's media type is not understood. */
export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** 429: try again later. */
export const tooManyRequests = (message: string, retryAfterSeconds: number): ApiError =>
  failure(429, 'TooManyRequests', message, { retryAfterSeconds })

/** 500: a defect, or something that the server depends on failed. */
export const internalError = (message: string, cause?: unknown): ApiError =>
  new ApiError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    },
    { cause },
  )

/** 503: not now. */
export const serviceUnavailable = (message: string): ApiError => failure(503, 'ServiceUnavailable', message)

const hasReason =
  (reason: string) =>
  (error: unknown): error is ApiError =>
    error instanceof ApiError && error.reason === reason

/** Asks what kind of failure an error is. */
export const isNotFound = hasReason('NotFound')
export const isAlreadyExists = hasReason('AlreadyExists')
export const isConflict = hasReason('Conflict')
export const isInvalid = hasReason('Invalid')
export const isForbidden = hasReason('Forbidden')
export const isTooManyRequests = hasReason('TooManyRequests')
/** The resource version is too old: list again. */
export const isExpired = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 410
