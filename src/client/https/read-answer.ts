import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { ApiError } from '../../api/errors/api-error.ts'
import type { Status } from '../../api/generated/types/meta-v1.ts'
import type { TransportRequest } from '../transport.ts'

interface ListAnswer {
  kind?: string
  apiVersion?: string
  items?: KubernetesObject[]
}

/** An answer's text as an object. List items come without `kind` and `apiVersion`: they get the list's. */
export function parsed(text: string, request: TransportRequest): Frozen<KubernetesObject> | string {
  if (request.accept && !request.accept.includes('json')) return text
  let answer: ListAnswer
  try {
    answer = JSON.parse(text) as ListAnswer
  } catch {
    // Health checks and metrics answer in plain text.
    return text
  }
  if (answer.kind?.endsWith('List') && Array.isArray(answer.items)) {
    const kind = answer.kind.slice(0, -'List'.length)
    for (const item of answer.items) {
      if (request.trimmed) trim(item)
      item.kind ??= kind
      if (answer.apiVersion !== undefined) item.apiVersion ??= answer.apiVersion
    }
  }
  return answer as Frozen<KubernetesObject>
}

/** Leaves out what no cache needs. The object was just read from the wire, so nobody else has it. */
export function trim({ metadata }: KubernetesObject): void {
  if (metadata) delete metadata.managedFields
}

/** What an answer outside 2xx says. */
export function errorOf(code: number, text: string): ApiError {
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new ApiError({ ...status, code: status.code ?? code })
  } catch {
    // A proxy in between, or no API server at all: the text is all there is.
  }
  const reasons: Record<number, string> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    409: 'Conflict',
    410: 'Gone',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  }
  const message = text.trim().slice(0, 2048) || `HTTP ${code}`
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[code] ?? '',
    code,
  })
}
