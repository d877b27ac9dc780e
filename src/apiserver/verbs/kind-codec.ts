import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { decodeSent, reshape, type DecodeProblems } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** A fresh object of a kind from the parsed JSON of a client: a built-in one's fields have their schema's types, a custom one's only lose what its schema does not name. Throws a DecodeError. */
export const decodeObject = (kind: Kind, value: unknown, problems?: DecodeProblems): Draft =>
  decodeSent(kind.schema, value, problems) as unknown as Draft

/**
 * An object in its kind's shape again, after it was changed: what is in shape is shared with the draft and the old object. Not with an old one that may have another
 * shape: it was converted, or a custom kind's schema has changed since.
 */
export const shapedObject = (kind: Kind, draft: Draft, old?: Frozen<KubernetesObject>): Draft =>
  reshape(kind.schema, draft, kind.custom || kind.storedAs ? undefined : old) as unknown as Draft
