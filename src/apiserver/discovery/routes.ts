import {
  aggregatedDiscovery,
  aggregatedDiscoveryType,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from '../../api/discovery/documents.ts'
import type { KindTable } from '../../api/table.ts'
import { notAcceptable } from '../../api/errors/api-error.ts'
import { textAnswer, valueAnswer, type Answer, type RawAnswer } from '../answer/answer.ts'
import { methodNotAllowed } from '../answer/status.ts'
import type { NonResource } from '../non-resource.ts'
import type { ApiRequest } from '../request/api-request.ts'

/** Groups that others serve: extension servers, custom kinds that are about to come. */
export interface ExtraGroups {
  readonly list: () => Parameters<typeof apiGroupList>[1]
  readonly aggregated: () => Parameters<typeof aggregatedDiscovery>[2]
  /** Grows when any of it changes. */
  readonly revision: () => number
}

const noExtra: ExtraGroups = { list: () => [], aggregated: () => [], revision: () => 0 }

/** /api, /apis and what is below them without being a resource. */
export function addDiscovery(
  nonResource: NonResource,
  table: KindTable,
  serverAddress: () => string,
  extra: ExtraGroups = noExtra,
): void {
  const documents = new Documents(table, extra)
  nonResource.add({
    path: '/api',
    handler: (request) =>
      documents.answer(request, '/api', (aggregated) =>
        aggregated ? aggregatedDiscovery(table, true) : apiVersions(serverAddress()),
      ),
  })
  nonResource.add({
    path: '/apis',
    methods: 'any',
    handler: (request) =>
      documents.answer(request, '/apis', (aggregated) =>
        aggregated ? aggregatedDiscovery(table, false, extra.aggregated()) : apiGroupList(table, extra.list()),
      ),
  })
  nonResource.fallbacks.push((request) => byPath(table, documents, request))
}

function byPath(table: KindTable, documents: Documents, request: ApiRequest): Answer | undefined {
  const parts = request.info.path.split('/').filter((part) => part !== '')
  const document =
    parts[0] === 'api' && parts.length === 2
      ? () => apiResourceList(table, '', parts[1]!)
      : parts[0] !== 'apis'
        ? undefined
        : parts.length === 2
          ? () => apiGroup(table, parts[1]!)
          : parts.length === 3
            ? () => apiResourceList(table, parts[1]!, parts[2]!)
            : undefined
  const found = document?.()
  if (!found) return undefined
  // Upstream answers for groups whatever the method is, for versions only GET.
  if (request.method !== 'GET' && !(parts[0] === 'apis' && parts.length === 2)) throw methodNotAllowed()
  return documents.answer(request, `/${parts.join('/')}`, () => found)
}

/** The documents as text, made anew when the table of kinds has changed. */
class Documents {
  readonly #table: KindTable
  readonly #extra: ExtraGroups
  readonly #texts = new Map<string, string>()
  #revision = -1

  constructor(table: KindTable, extra: ExtraGroups) {
    this.#table = table
    this.#extra = extra
  }

  answer(request: ApiRequest, path: string, make: (aggregated: boolean) => object): Answer {
    const accept = request.exchange?.header('accept')
    if (
      accept === undefined ||
      accept.startsWith('application/json,') ||
      accept === 'application/json' ||
      accept.startsWith('*/*')
    )
      return this.#json(path, 'application/json', () => make(false))
    if ((path === '/api' || path === '/apis') && wantsAggregated(accept))
      return this.#json(path, aggregatedDiscoveryType, () => make(true))
    // YAML and protobuf are made by whoever writes the answer.
    if (/application\/(yaml|vnd\.kubernetes\.protobuf)/.test(accept)) return valueAnswer(make(false))
    if (!accept.includes('application/json') && !accept.includes('*/*'))
      throw notAcceptable(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])
    return this.#json(path, 'application/json', () => make(false))
  }

  #json(path: string, contentType: string, make: () => object): RawAnswer {
    const revision = this.#table.revision + this.#extra.revision()
    if (this.#revision !== revision) {
      this.#texts.clear()
      this.#revision = revision
    }
    const key = `${contentType} ${path}`
    let text = this.#texts.get(key)
    if (text === undefined) this.#texts.set(key, (text = `${JSON.stringify(make())}\n`))
    return { ...textAnswer(200, text, contentType), headers: ['vary', 'Accept'] }
  }
}

/** The first form of discovery that the header names is the aggregated one. */
function wantsAggregated(accept: string): boolean {
  for (const clause of accept.split(',')) {
    const parts = clause.split(';').map((part) => part.trim())
    if (parts[0] !== 'application/json') continue
    return (
      parts.includes('g=apidiscovery.k8s.io') && parts.includes('v=v2') && parts.includes('as=APIGroupDiscoveryList')
    )
  }
  return false
}
