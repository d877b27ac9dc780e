import { thaw } from './draft.ts'
import type { ObjectMeta } from './generated/types/meta-v1.ts'
import type { Frozen } from './resource.ts'

const kept = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const

/** Status updates, and those of a part of the spec, change nothing else: what authors may say in metadata stays as it was. */
export function keepMetadata(metadata: ObjectMeta, old: Frozen<ObjectMeta>): void {
  for (const name of kept) keepField(metadata, old, name)
}

/** The same for one field. */
export function keepField<Name extends (typeof kept)[number]>(
  metadata: ObjectMeta,
  old: Frozen<ObjectMeta>,
  name: Name,
): void {
  const value = old[name]
  if (value === undefined) delete metadata[name]
  else metadata[name] = thaw(value) as NonNullable<ObjectMeta[Name]>
}
