import type { Kind } from '../../api/kind.ts'
import { decodeSent, normalise, type DecodeProblems } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** A fresh object of a kind from the parsed JSON of a client: a built-in one's fields have their schema's types, a custom one's only lose what its schema does not name. Throws a DecodeError. */
export const decodeObject = (kind: Kind, value: unknown, problems?: DecodeProblems): Draft => decodeSent(kind.schema, value, problems) as unknown as Draft

/** An object in its kind's shape again, after it was changed. */
export const shapedObject = (kind: Kind, draft: Draft): Draft => normalise(kind.schema, draft) as unknown as Draft
