import type { ListMeta } from '../generated/types/meta-v1.ts'
import type { Kind } from '../kind.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'

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
export const partialObject = (
  kind: Kind,
  object: Frozen<KubernetesObject>,
  version: MetaVersion = 'v1',
): PartialObjectMetadata => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: kind.behaviour.hiddenAnnotations
    ? withoutAnnotations(object.metadata, kind.behaviour.hiddenAnnotations)
    : object.metadata,
})

/** The metadata-only form of a list. */
export const partialList = (
  kind: Kind,
  objects: readonly Frozen<KubernetesObject>[],
  { metadata, version = 'v1' }: { metadata: Frozen<ListMeta>; version?: MetaVersion },
): PartialObjectMetadataList => ({
  kind: 'PartialObjectMetadataList',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
  items: objects.length > 0 ? objects.map((object) => partialObject(kind, object, version)) : null,
})

function withoutAnnotations(
  metadata: Frozen<KubernetesObject>['metadata'],
  hidden: readonly string[],
): Frozen<KubernetesObject>['metadata'] {
  if (!metadata?.annotations) return metadata
  const { annotations, ...rest } = metadata
  const shown = Object.entries(annotations).filter(([name]) => !hidden.includes(name))
  return shown.length > 0 ? { ...rest, annotations: Object.fromEntries(shown) } : rest
}
