import type { Frozen, KubernetesObject } from '../resource.ts'
import type { ListMeta } from '../generated/types/meta-v1.ts'

/** Versions in which the forms of `meta.k8s.io` are served; both are the same. */
export type MetaVersion = 'v1' | 'v1beta1'

/** An object without anything but its metadata. */
export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata'
  readonly apiVersion: string
  readonly metadata: Frozen<KubernetesObject>['metadata']
}

/** Many of them. Without items the list is null, as upstream has it. */
export interface PartialObjectMetadataList {
  readonly kind: 'PartialObjectMetadataList'
  readonly apiVersion: string
  readonly metadata: Frozen<ListMeta>
  readonly items: readonly PartialObjectMetadata[] | null
}

/** The metadata-only form of an object. */
export const partialObject = (object: Frozen<KubernetesObject>, version: MetaVersion = 'v1'): PartialObjectMetadata => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
})

/** The metadata-only form of a list. */
export const partialList = (objects: readonly Frozen<KubernetesObject>[], metadata: Frozen<ListMeta>, version: MetaVersion = 'v1'): PartialObjectMetadataList => ({
  kind: 'PartialObjectMetadataList',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
  items: objects.length > 0 ? objects.map((object) => partialObject(object, version)) : null,
})
