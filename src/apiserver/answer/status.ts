import { ApiError, internalError } from '../../api/errors/api-error.ts'
import type { Status } from '../../api/generated/types/meta-v1.ts'
import type { Logger } from '../../base/log.ts'
import { CompactedError, FutureRevisionError, StoreWriteError } from '../../store/store.ts'

/** The `ApiError` behind whatever was thrown. What nobody expected is logged and becomes a 500. */
export function apiErrorOf(error: unknown, log: Logger, path: string): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof CompactedError)
    return failure(
      410,
      'Expired',
      `too old resource version: the oldest that can be read is ${error.compactedRevision}`,
    )
  if (error instanceof FutureRevisionError) return failure(504, 'Timeout', 'Too large resource version')
  if (error instanceof StoreWriteError)
    return failure(500, 'InternalError', `Internal error occurred: the store cannot write: ${error.message}`)
  log.error({ path, err: error }, 'a request failed in a way that was not foreseen')
  return internalError(error instanceof Error ? error.message : String(error), error)
}

function failure(code: number, reason: string, message: string): ApiError {
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
}

/** 405 of a path that exists for other methods. */
export const methodNotAllowed = (): ApiError =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server does not allow this method on the requested resource',
    reason: 'MethodNotAllowed',
    details: {},
    code: 405,
  })

/** A Status in upstream's order of fields. */
export function statusJson({ metadata, status, message, reason, details, code }: Status): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: metadata ?? {},
    status,
    message,
    reason,
    details,
    code,
  })
}
