import type { Kind } from '../../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../../api/resource.ts'
import { normalise } from '../../../api/schema/decode.ts'
import type { Attributes } from '../admission.ts'

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** A request as webhooks and policies see it. */
export interface AdmissionRequest {
  readonly uid: string
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  readonly subResource?: string
  readonly requestKind: GroupVersionKind
  readonly requestResource: GroupVersionResource
  readonly requestSubResource?: string
  readonly name?: string
  readonly namespace?: string
  readonly operation: string
  readonly userInfo: {
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  readonly object: unknown
  readonly oldObject: unknown
  readonly dryRun: boolean
  readonly options: unknown
}

/** What a webhook answers. */
export interface AdmissionResponse {
  readonly uid?: string
  readonly allowed?: boolean
  readonly status?: {
    readonly code?: number
    readonly message?: string
    readonly reason?: string
    readonly status?: string
    readonly details?: object
    readonly metadata?: object
  }
  readonly patch?: string
  readonly patchType?: string
  readonly warnings?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
}

/** The request in the version of `shown`. */
export function admissionRequest(attributes: Attributes, shown: Kind, uid: string): AdmissionRequest {
  const { kind, subresource, name, namespace, operation, user, dryRun, options, object, old } = attributes
  const own = kind.subresources.find((each) => each.name === subresource)?.responseKind
  const kindOf = ({ resource: { group, version, kind: name } }: Kind): GroupVersionKind =>
    own && own.kind !== name ? own : { group, version, kind: name }
  const resourceOf = ({ resource: { group, version, plural } }: Kind): GroupVersionResource => ({
    group,
    version,
    resource: plural,
  })
  return {
    uid,
    kind: kindOf(shown),
    resource: resourceOf(shown),
    ...(subresource && { subResource: subresource }),
    requestKind: kindOf(kind),
    requestResource: resourceOf(kind),
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object: object ? asShown(object, attributes, shown) : null,
    oldObject: old ? inVersion(old as KubernetesObject, kind, shown) : null,
    dryRun,
    options: options ?? null,
  }
}

/** The draft as its JSON is: without the empty lists that a client sent and JSON leaves out. */
function asShown(object: KubernetesObject, { kind, subresource }: Attributes, shown: Kind): object {
  const own = kind.subresources.find((each) => each.name === subresource)?.responseKind
  const inIt = inVersion(object, kind, shown)
  return kind.custom || (own && own.kind !== kind.resource.kind) ? inIt : normalise(shown.schema, inIt)
}

/** An object of one version of a kind in another one. */
export function inVersion(object: KubernetesObject | Frozen<KubernetesObject>, from: Kind, to: Kind): KubernetesObject {
  if (from === to) return object as KubernetesObject
  const stored = from.storedAs
    ? from.storedAs.toStored(structuredClone(object) as KubernetesObject)
    : (object as KubernetesObject)
  return to.storedAs ? to.storedAs.fromStored(stored) : stored
}
