import type { OpenApiDocuments } from '../../api/openapi/documents.ts'
import { notAcceptable } from '../../api/errors/api-error.ts'
import { textAnswer, type Answer } from '../answer/answer.ts'
import type { NonResource } from '../non-resource.ts'
import type { ApiRequest } from '../request/api-request.ts'

/** A year: a document under its hash never changes. */
const immutable = ['cache-control', 'public, immutable, max-age=31536000'] as const

/** The documents of other servers. */
export interface OtherDocuments {
  /** 'apis/metrics.k8s.io/v1beta1' */
  readonly openApiNames: () => readonly string[]
  readonly openApi: (name: string) => Promise<Uint8Array | undefined>
}

const noOthers: OtherDocuments = { openApiNames: () => [], openApi: () => Promise.resolve(undefined) }

function withOthers(index: Record<string, unknown>, { openApiNames }: OtherDocuments): object {
  const others = openApiNames().map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}` }] as const)
  return others.length === 0
    ? index
    : {
        ...index,
        paths: Object.fromEntries(
          [...Object.entries(index['paths'] as object), ...others].sort(([a], [b]) => (a < b ? -1 : 1)),
        ),
      }
}

async function answerOther(
  request: ApiRequest,
  { openApiNames, openApi }: OtherDocuments,
): Promise<Answer | undefined> {
  const name = request.info.path.slice('/openapi/v3/'.length).replace(/\/$/, '')
  const body = openApiNames().includes(name) ? await openApi(name) : undefined
  return body && { type: 'raw', code: 200, contentType: 'application/json', body }
}

/** Where the OpenAPI documents are: made at the first request, so that a server that nobody asks has no part of them in memory. */
export function addOpenApi(
  nonResource: NonResource,
  load: () => Promise<OpenApiDocuments>,
  others: OtherDocuments = noOthers,
): void {
  let loaded: Promise<OpenApiDocuments> | undefined
  const documents = () => (loaded ??= load())
  nonResource.add({ path: '/openapi/v2', handler: async (request) => answerV2(request, await documents()) })
  nonResource.add({
    path: '/openapi/v3',
    handler: async () =>
      textAnswer(200, JSON.stringify(withOthers((await documents()).v3Index(), others)), 'application/json'),
  })
  nonResource.add({
    path: '/openapi/v3/',
    handler: async (request) => (await answerOther(request, others)) ?? answerV3(request, await documents()),
  })
}

async function answerV2(request: ApiRequest, documents: OpenApiDocuments): Promise<Answer> {
  const { encodeOpenApiV2, openApiV2ProtobufRequests, openApiV2ProtobufType } =
    await import('../../api/openapi/v2-protobuf.ts')
  const accept = request.exchange?.header('accept') ?? '*/*'
  const wanted = accept.split(',').map((clause) => clause.split(';')[0]!.trim())
  const form = wanted.find(
    (type) =>
      type === 'application/json' ||
      type === '*/*' ||
      type === 'application/*' ||
      openApiV2ProtobufRequests.includes(type),
  )
  if (form === undefined) throw notAcceptable(['application/json', openApiV2ProtobufRequests[0]!])
  const document = documents.v2()
  const headers = ['etag', `"${document.hash}"`, 'vary', 'Accept'] as const
  if (unchanged(request, document.hash))
    return { type: 'raw', code: 304, contentType: 'application/json', body: '', headers }
  if (!openApiV2ProtobufRequests.includes(form))
    return { type: 'raw', code: 200, contentType: 'application/json', body: document.body, headers }
  return {
    type: 'raw',
    code: 200,
    contentType: openApiV2ProtobufType,
    body: documents.v2Protobuf(encodeOpenApiV2),
    headers,
  }
}

function answerV3(request: ApiRequest, documents: OpenApiDocuments): Answer {
  const name = request.info.path.slice('/openapi/v3/'.length).replace(/\/$/, '')
  const document = documents.v3(name)
  if (!document) return textAnswer(404, '404 page not found\n')
  const hash = documents.v3Hash(name)
  const asked = request.query.get('hash') ?? ''
  // An old link leads to the document as it is now.
  if (asked !== '' && asked !== hash)
    return {
      type: 'raw',
      code: 301,
      contentType: 'text/plain',
      body: '',
      headers: ['location', `${request.info.path}?hash=${hash}`],
    }
  const headers = ['etag', `"${hash}"`, 'vary', 'Accept', ...(asked === '' ? [] : immutable)]
  if (unchanged(request, hash)) return { type: 'raw', code: 304, contentType: 'application/json', body: '', headers }
  return { type: 'raw', code: 200, contentType: 'application/json', body: document.body, headers }
}

const unchanged = (request: ApiRequest, hash: string): boolean =>
  request.exchange?.header('if-none-match')?.includes(`"${hash}"`) ?? false
