import { RE2JS } from 're2js'
import { equal } from '../validation/equal.ts'
import { FieldErrors, type FieldPath } from '../validation/field.ts'
import { additionalOf, itemsOf, type JsonSchema, present } from './json-schema.ts'
import { formats } from './value-formats.ts'

/** Where a value is: its field, and how messages name it (`spec.size`). */
interface Place {
  readonly at: FieldPath
  readonly name: string
}

/** Compiled patterns: definitions have few, objects are many. */
const patterns = new Map<string, RE2JS | undefined>()
const patternsMax = 4096

function patternOf(text: string): RE2JS | undefined {
  if (patterns.has(text)) return patterns.get(text)
  if (patterns.size >= patternsMax) patterns.clear()
  let compiled: RE2JS | undefined
  try {
    compiled = RE2JS.compile(text)
  } catch {
    // A definition from before patterns were checked: nothing can be said of its values.
  }
  patterns.set(text, compiled)
  return compiled
}

/** Says what is wrong with a value by its schema. `at` is the value's own field. */
export function checkValue(value: unknown, schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  checkAt(value, schema, { at, name: '' }, errors)
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'bigint') return 'integer'
  return typeof value
}

function checkAt(value: unknown, schema: JsonSchema, place: Place, errors: FieldErrors): void {
  if (!checkType(value, schema, place, errors)) return
  if (schema.enum && !schema.enum.some((allowed) => equal(allowed, value))) {
    errors.notSupported(place.at, value, schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))))
  }
  if (typeof value === 'string') checkText(value, schema, place, errors)
  else if (typeof value === 'number') checkNumber(value, schema, place, errors)
  else if (Array.isArray(value)) checkList(value as unknown[], schema, place, errors)
  else if (typeof value === 'object' && value !== null) checkObject(value as Record<string, unknown>, schema, place, errors)
  checkLogic(value, schema, place, errors)
}

function checkType(value: unknown, schema: JsonSchema, { at, name }: Place, errors: FieldErrors): boolean {
  const type = typeOf(value)
  const allowed = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : []
  if (type === 'null') {
    if (schema.nullable || allowed.length === 0) return false
    errors.typeInvalid(at, null, `${name} in body must be of type ${allowed.join(',')}: "null"`)
    return false
  }
  if (allowed.length === 0 || allowed.includes(type) || (type === 'integer' && allowed.includes('number'))) return true
  errors.typeInvalid(at, value, `${name} in body must be of type ${allowed.join(',')}: ${JSON.stringify(type)}`)
  return false
}

function checkText(value: string, schema: JsonSchema, { at, name }: Place, errors: FieldErrors): void {
  const { minLength, maxLength, pattern, format } = schema
  const length = minLength !== undefined || maxLength !== undefined ? [...value].length : 0
  if (maxLength !== undefined && length > maxLength) errors.tooLong(at, maxLength)
  if (minLength !== undefined && length < minLength) errors.invalid(at, value, `${name} in body should be at least ${minLength} chars long`)
  if (pattern && patternOf(pattern)?.matcher(value).find() === false) errors.invalid(at, value, `${name} in body should match '${pattern}'`)
  if (format && formats.get(format)?.(value) === false) errors.typeInvalid(at, value, `${name} in body must be of type ${format}: ${JSON.stringify(value)}`)
}

const ranges: ReadonlyMap<string, readonly [number, number]> = new Map([['int32', [-2_147_483_648, 2_147_483_647]]])

function checkNumber(value: number, schema: JsonSchema, { at, name }: Place, errors: FieldErrors): void {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum } = schema
  const range = ranges.get(schema.format ?? '')
  if (range && schema.type === 'integer' && (value < range[0] || value > range[1])) errors.invalid(at, value, `Checked value must be of type integer with format ${schema.format} in ${name}`)
  if (multipleOf !== undefined && multipleOf <= 0) errors.invalid(at, value, `factor MultipleOf declared for ${name} must be positive: ${multipleOf}`)
  else if (multipleOf && !isMultiple(value, multipleOf)) errors.invalid(at, value, `${name} in body should be a multiple of ${multipleOf}`)
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) errors.invalid(at, value, `${name} in body should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) errors.invalid(at, value, `${name} in body should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
}

/** Also for fractions, whose division is not exact. */
const isMultiple = (value: number, of: number): boolean => Math.abs(value / of - Math.round(value / of)) < 1e-9

function checkList(value: readonly unknown[], schema: JsonSchema, { at, name }: Place, errors: FieldErrors): void {
  const { minItems, maxItems } = schema
  const items = itemsOf(schema)
  if (items) value.forEach((item, i) => checkAt(item, items, { at: at.index(i), name: `${name}[${i}]` }, errors))
  if (minItems !== undefined && value.length < minItems) errors.invalid(at, value.length, `${name} in body should have at least ${minItems} items`)
  if (maxItems !== undefined && value.length > maxItems) errors.tooMany(at, value.length, maxItems)
  const listType = schema['x-kubernetes-list-type']
  if (listType === 'set') checkSet(value, at, errors)
  else if (listType === 'map') checkKeys(value, schema['x-kubernetes-list-map-keys'] ?? [], items, { at, errors })
  if (schema.uniqueItems && value.some((item, i) => value.findIndex((other) => equal(other, item)) < i)) errors.invalid(at, value, `${name} in body shouldn't contain duplicates`)
}

function checkSet(value: readonly unknown[], at: FieldPath, errors: FieldErrors): void {
  const seen = new Set<string>()
  value.forEach((item, i) => {
    const key = JSON.stringify(item)
    if (seen.has(key)) errors.duplicate(at.index(i), item)
    seen.add(key)
  })
}

function checkKeys(value: readonly unknown[], keys: readonly string[], items: JsonSchema | undefined, { at, errors }: { at: FieldPath; errors: FieldErrors }): void {
  const seen = new Set<string>()
  value.forEach((item, i) => {
    if (typeof item !== 'object' || item === null) return
    const fields = item as Readonly<Record<string, unknown>>
    const named = Object.fromEntries(keys.flatMap((key) => (present(fields[key] ?? items?.properties?.[key]?.default) ? [[key, fields[key] ?? items?.properties?.[key]?.default]] : [])))
    const key = JSON.stringify(named)
    if (seen.has(key)) errors.duplicate(at.index(i), named)
    seen.add(key)
  })
}

function checkObject(value: Readonly<Record<string, unknown>>, schema: JsonSchema, { at, name }: Place, errors: FieldErrors): void {
  const { required, properties, minProperties, maxProperties } = schema
  const keys = Object.keys(value)
  const below = (key: string): string => (name ? `${name}.${key}` : key)
  if (minProperties !== undefined && keys.length < minProperties) errors.invalid(at, value, `${name} in body should have at least ${minProperties} properties`)
  if (maxProperties !== undefined && keys.length > maxProperties) errors.tooMany(at, keys.length, maxProperties)
  for (const key of required ?? []) if (value[key] === undefined) errors.required(at.child(key))
  const additional = additionalOf(schema)
  for (const key of keys) {
    const property = properties?.[key]
    if (property) checkAt(value[key], property, { at: at.child(key), name: below(key) }, errors)
    else if (additional) checkAt(value[key], additional, { at: at.child(key), name: below(key) }, errors)
    else if (schema.additionalProperties === false) errors.invalid(at, value, `${below(key)} in body is a forbidden property`)
  }
}

function fits(value: unknown, schema: JsonSchema, place: Place): boolean {
  const errors = new FieldErrors()
  checkAt(value, schema, place, errors)
  return errors.empty
}

function checkLogic(value: unknown, schema: JsonSchema, place: Place, errors: FieldErrors): void {
  const { allOf, anyOf, oneOf, not } = schema
  const name = JSON.stringify(place.name)
  for (const each of allOf ?? []) checkAt(value, each, place, errors)
  if (allOf?.some((each) => !fits(value, each, place))) errors.invalid(place.at, '', `${name} must validate all the schemas (allOf)`)
  if (anyOf?.length && !anyOf.some((each) => fits(value, each, place))) {
    errors.invalid(place.at, '', `${name} must validate at least one schema (anyOf)`)
    for (const each of anyOf.slice(0, 1)) checkAt(value, each, place, errors)
  }
  const matches = oneOf?.filter((each) => fits(value, each, place)).length ?? 1
  if (oneOf?.length && matches !== 1) {
    errors.invalid(place.at, '', `${name} must validate one and only one schema (oneOf). ${matches === 0 ? 'Found none valid' : `Found ${matches} valid alternatives`}`)
    if (matches === 0) for (const each of oneOf.slice(0, 1)) checkAt(value, each, place, errors)
  }
  if (not && fits(value, not, place)) errors.invalid(place.at, '', `${name} must not validate the schema (not)`)
}
