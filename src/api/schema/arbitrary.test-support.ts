import fc from 'fast-check'
import type { Schema, StructSchema } from './schema.ts'

/**
 * Random objects of a schema, for property tests: of what travels in protobuf, too. Only tests import this.
 */
export function arbitraryObject(schema: StructSchema, depth = 4): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...schema.fields.values()].filter(
    (field) => field.protobuf !== undefined && (depth > 0 || !hasStruct(field.schema)),
  )
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, arbitraryValue(field.schema, depth - 1)])), {
    requiredKeys: [],
  })
}

const hasStruct = (schema: Schema): boolean =>
  schema.type === 'struct' ||
  (schema.type === 'list' && hasStruct(schema.items)) ||
  (schema.type === 'map' && hasStruct(schema.values))

const texts = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
)
const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1))
const seconds = fc
  .date({ min: new Date('1971-01-01T00:00:00Z'), max: new Date('2099-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 19))
const json = fc
  .dictionary(texts, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)

function arbitraryValue(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      return texts
    case 'bytes':
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    case 'boolean':
      return fc.boolean()
    case 'int32':
      return int32
    case 'int64':
      return fc.oneof(int32, fc.maxSafeInteger())
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'quantity':
      return fc.constantFrom('0', '1', '100m', '1500m', '1Gi', '512Mi', '1k', '1e3', '-5')
    case 'intOrString':
      return fc.oneof(int32, texts)
    case 'time':
      return seconds.map((text) => `${text}Z`)
    case 'microTime':
      return fc
        .tuple(seconds, fc.integer({ min: 0, max: 999_999 }))
        .map(([text, micros]) => `${text}.${String(micros).padStart(6, '0')}Z`)
    case 'any':
      if (schema.form === 'schemaOrBool') return fc.boolean()
      return schema.form === 'schemaOrStrings' ? fc.array(texts, { minLength: 1, maxLength: 2 }) : json
    case 'list':
      return fc.array(arbitraryValue(schema.items, depth), { maxLength: 2 })
    case 'map':
      return fc.dictionary(texts, arbitraryValue(schema.values, depth), { maxKeys: 2 })
    case 'struct':
      return arbitraryObject(schema, depth)
  }
}
