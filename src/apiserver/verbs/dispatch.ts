import { methodNotAllowed } from '../answer/status.ts'
import type { Answer } from '../answer/answer.ts'
import { warn, type ResourceRequest } from '../request/api-request.ts'
import type { Kind } from '../../api/kind.ts'
import type { Core } from './core.ts'
import { prepare } from './prepared-cache.ts'
import { create } from './create.ts'
import { deleteCollection, deleteOne } from './delete-request.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { patch } from './patch.ts'
import { getScale, patchScale, updateScale } from './scale.ts'
import { update } from './update.ts'
import { watch } from './watch.ts'

/** Answers a request for one subresource. */
export type SubresourceHandler = (core: Core, request: ResourceRequest) => Answer | Promise<Answer>

/** Handlers of what is neither stored in the object nor its scale, by 'plural.group/subresource'; those of kinds that are not stored by 'plural.group/*'. */
export type Subresources = ReadonlyMap<string, SubresourceHandler>

/** Carries out a request for a resource that is served, whose user may do it. */
export function dispatch(core: Core, subresources: Subresources, request: ResourceRequest): Answer | Promise<Answer> {
  const { kind } = request
  return kind.storedAs?.prepare
    ? prepared(kind, carryOut(core, subresources, request))
    : carryOut(core, subresources, request)
}

/** The answer once its object can be shown. */
async function prepared(kind: Kind, pending: Answer | Promise<Answer>): Promise<Answer> {
  const answer = await pending
  if (answer.type === 'object') await prepare(kind, [answer.document.object])
  return answer
}

function carryOut(core: Core, subresources: Subresources, request: ResourceRequest): Answer | Promise<Answer> {
  const { kind, subresource, info } = request
  if (kind.deprecation !== undefined) warn(request, kind.deprecation)
  if (subresource) return dispatchSubresource(core, subresources, request)
  const { verb } = info
  // Kinds whose objects lie nowhere: made when they are asked for.
  const made = kind.custom && subresources.get(`${kind.resource.plural}.${kind.resource.group}/*`)
  if (made && kind.verbs.includes(verb)) return made(core, request)
  const everywhere = kind.resource.namespaced && info.namespace === ''
  if (
    !kind.verbs.includes(verb) ||
    (named.has(verb) ? info.name === '' || everywhere : verb === 'create' && info.name !== '')
  )
    throw methodNotAllowed()
  const deprecation = deprecations[`${kind.resource.plural}.${kind.resource.group}`]
  if (deprecation) warn(request, deprecation)
  const own =
    everywhere && verb === 'create' ? undefined : subresources.get(`${kind.resource.plural}.${kind.resource.group}/`)
  if (own) return own(core, request)
  switch (verb) {
    case 'get':
      return get(core, request)
    case 'list':
      return list(core, request)
    case 'watch':
      return watch(core, request)
    case 'create':
      if (everywhere) throw methodNotAllowed()
      return create(core, request)
    case 'update':
      return update(core, request)
    case 'patch':
      return patch(core, request)
    case 'delete':
      return deleteOne(core, request)
    case 'deletecollection':
      if (everywhere) throw methodNotAllowed()
      return deleteCollection(core, request)
    default:
      throw methodNotAllowed()
  }
}

/** What clients are told who still use what is on its way out. */
const deprecations: Readonly<Record<string, string>> = {
  'componentstatuses.': 'v1 ComponentStatus is deprecated in v1.19+',
  'endpoints.': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

/** Verbs that are about one object: POST to an object is no creation, and PUT to a collection no update. */
const named: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete'])

function dispatchSubresource(
  core: Core,
  subresources: Subresources,
  request: ResourceRequest,
): Answer | Promise<Answer> {
  const { kind, subresource, info } = request
  const name = subresource!.name
  const { plural, group } = kind.resource
  const handler = subresources.get(`${plural}.${group}/${name}`)
  // A proxied request may be of a method that is no verb: discovery does not tell of it.
  const proxied = name === 'proxy' && request.method === 'OPTIONS'
  if (!proxied && !subresource!.verbs.includes(info.verb)) throw methodNotAllowed()
  if (handler) return handler(core, request)
  if (name === 'scale')
    return info.verb === 'get'
      ? getScale(core, request)
      : info.verb === 'update'
        ? updateScale(core, request)
        : patchScale(core, request)
  switch (info.verb) {
    case 'get':
      return get(core, request)
    case 'update':
      return update(core, request)
    case 'patch':
      return patch(core, request)
    default:
      throw methodNotAllowed()
  }
}
