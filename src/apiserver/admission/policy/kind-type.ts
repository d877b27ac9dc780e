import {
  bool,
  bytes,
  double,
  dyn,
  int,
  listOf,
  mapOf,
  string,
  timestamp,
  type CelType,
  type ObjectField,
} from '../../../api/cel/types.ts'
import { celTypeOf, escapedName } from '../../../api/crd-schema/schema-type.ts'
import type { Kind } from '../../../api/kind.ts'
import type { Schema, StructSchema } from '../../../api/schema/schema.ts'
import { declaredSchema } from '../../crd/declared-schema.ts'

const known = new WeakMap<StructSchema, CelType>()

/** The type of a kind's objects in expressions. */
export function kindType(kind: Kind): CelType {
  const declared = declaredSchema(kind)
  if (declared) return celTypeOf(declared, true) ?? dyn
  return kind.custom ? dyn : structType(kind.schema)
}

function structType(schema: StructSchema): CelType {
  let type = known.get(schema)
  if (!type) {
    let fields: Map<string, ObjectField> | undefined
    type = {
      kind: 'object',
      name: schema.name,
      field(name) {
        fields ??= new Map(
          [...schema.fields.values()].map((field) => [
            escapedName(field.name),
            { type: typeOf(field.schema), json: field.name },
          ]),
        )
        return fields.get(name)
      },
    }
    known.set(schema, type)
  }
  return type
}

function typeOf(schema: Schema): CelType {
  switch (schema.type) {
    case 'string':
      return string
    case 'bytes':
      return bytes
    case 'boolean':
      return bool
    case 'int32':
    case 'int64':
      return int
    case 'double':
      return double
    case 'time':
    case 'microTime':
      return timestamp
    case 'list':
      return listOf(typeOf(schema.items))
    case 'map':
      return mapOf(string, typeOf(schema.values))
    case 'struct':
      return structType(schema)
    default:
      return dyn
  }
}
