import type { Kind } from '../../api/kind.ts'
import { objectMetaSchema } from '../../api/schema/builtin.ts'
import { decode, normalise, type DecodeProblems } from '../../api/schema/decode.ts'
import { propsOf } from '../crd/custom-kind.ts'
import { pruned } from '../crd/prune.ts'
import type { Values } from '../crd/props.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** A fresh object of a kind from parsed JSON: a built-in one's fields have their schema's types, a custom one's only lose what its schema does not name. Throws a DecodeError. */
export function decodeObject(kind: Kind, value: unknown, problems?: DecodeProblems): Draft {
  if (!kind.custom) return decode(kind.schema, value, problems) as unknown as Draft
  return pruned(value as Values, propsOf(kind), problems?.unknown) as unknown as Draft
}

/** An object in its kind's shape again, after it was changed. */
export function shapedObject(kind: Kind, draft: Draft): Draft {
  if (!kind.custom) return normalise(kind.schema, draft) as unknown as Draft
  const { apiVersion, kind: name, metadata, ...rest } = draft
  return { apiVersion, kind: name, metadata: normalise(objectMetaSchema(), metadata ?? {}), ...rest } as Draft
}
