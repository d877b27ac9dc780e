import type { ObjectMeta } from './generated/types/meta-v1.ts'

/** What every object of the API has. */
export interface KubernetesObject {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
}

/**
 * A resource as a value: what clients and components name a kind by. `pods`, `deployments` … are in generated/resources.ts; what a kind
 * does (defaults, validation, columns) is in the table of kinds, which only the API server needs.
 */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Only for the type checker: the type of the objects. Never set. */
  readonly object?: T
}

/** Deeply read-only: how objects are passed around. A change is a new object. */
export type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

/** Where an object is. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string | undefined
  readonly name: string
}

/** Whether both name the same resource, in whichever version. */
export const sameResource = (a: Pick<Resource, 'group' | 'plural'>, b: Pick<Resource, 'group' | 'plural'>): boolean =>
  a.plural === b.plural && a.group === b.group

/** 'v1' or 'apps/v1'. */
export const apiVersionOf = (resource: { group: string; version: string }): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version

/** 'namespace/name', or 'name' for cluster-scoped kinds: for logs and maps. */
export const keyText = (key: ObjectKey): string => (key.namespace ? `${key.namespace}/${key.name}` : key.name)

/** The key of an object. */
export const keyOf = (object: Frozen<KubernetesObject>): ObjectKey => ({
  namespace: object.metadata?.namespace,
  name: object.metadata?.name ?? '',
})
