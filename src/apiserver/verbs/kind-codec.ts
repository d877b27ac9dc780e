import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { decodeSent, normalise, reshape, type DecodeProblems } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** A fresh object of a kind from the parsed JSON of a client: a built-in one's fields have their schema's types, a custom one's only lose what its schema does not name. Throws a DecodeError. */
export const decodeObject = (kind: Kind, value: unknown, problems?: DecodeProblems): Draft => decodeSent(kind.schema, value, problems) as unknown as Draft

/**
 * An object in its kind's shape again, after it was changed; parts of it that are still the old ones are taken over. Not where the old one may have another shape:
 * it was converted, or a custom kind's schema has changed since.
 */
export function shapedObject(kind: Kind, draft: Draft, old?: Frozen<KubernetesObject>): Draft {
  const shaped = old && !kind.custom && !kind.storedAs ? reshape(kind.schema, draft, old) : normalise(kind.schema, draft)
  return shaped as unknown as Draft
}
