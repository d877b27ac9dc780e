import { ApiError, badRequest, unsupportedMediaType } from '../../api/errors/api-error.ts'
import { parseJson, SyntaxProblem } from '../../api/codec/json.ts'
import { parseYaml } from '../../api/codec/yaml.ts'
import { BodyAbortedError, BodyTooLargeError } from '../http/exchange.ts'
import type { ApiRequest } from './api-request.ts'

/** What the server reads of a body at most. */
export const bodyBytesMax = 3 * 1024 * 1024

/** What bodies of objects may be. */
export const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const

/** The body off the wire; one that is too large is refused as upstream does. */
export async function readRequestBody(request: ApiRequest): ReturnType<ApiRequest['body']> {
  try {
    return await request.body()
  } catch (error) {
    // Nobody is there to read it, but metrics and audit are told.
    if (error instanceof BodyAbortedError) throw badRequest('the client went away before the request was complete')
    if (!(error instanceof BodyTooLargeError)) throw error
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Request entity too large: limit is ${bodyBytesMax}`,
      reason: 'RequestEntityTooLarge',
      code: 413,
    })
  }
}

/** A content type without its parameters; JSON when there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined || contentType === '') return 'application/json'
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** The body as a value of JSON's types, for what has no strictness: options, patches. */
export async function parseBody(request: ApiRequest, mediaType: string): Promise<unknown> {
  if (mediaType !== 'application/json' && mediaType !== 'application/yaml') throw unsupportedMediaType(bodyTypes)
  const body = await readRequestBody(request)
  return 'value' in body ? body.value : parseText(body.bytes.toString(), mediaType)
}

/** Text of a media type that is JSON or YAML. Throws 400. */
export function parseText(text: string, mediaType: string): unknown {
  try {
    return mediaType === 'application/yaml' ? parseYaml(text) : parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw badRequest(error.message)
    throw error
  }
}
