import { RE2JS } from 're2js'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { additionalSchemaOf, allowsAdditional, present } from './schema-tree.ts'

/** Where in an object a schema stands. */
type Level = 'root' | 'item' | 'field'

const emptyTypeTexts: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

const preserves = (schema: JsonSchema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true
const embeds = (schema: JsonSchema): boolean => schema['x-kubernetes-embedded-resource'] === true
const isIntOrString = (schema: JsonSchema): boolean => schema['x-kubernetes-int-or-string'] === true

/** What makes it impossible to tell of every field what it is. */
const unsupported: readonly (readonly [keyof JsonSchema, string])[] = [
  ['id', 'id'],
  ['$schema', 'schema'],
  ['$ref', '$ref'],
  ['patternProperties', 'patternProperties'],
  ['dependencies', 'dependencies'],
  ['additionalItems', 'additionalItems'],
  ['definitions', 'definitions'],
]

/** Why a schema has no structural form at all. */
export function structuralProblem(schema: JsonSchema): string | undefined {
  for (const [key, name] of unsupported) {
    const value: unknown = schema[key]
    if (
      present(value) &&
      value !== '' &&
      !(typeof value === 'object' && key !== 'additionalItems' && Object.keys(value).length === 0)
    )
      return `OpenAPIV3Schema '${name}' is not supported`
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  if (Array.isArray(schema.items) && schema.items.length)
    return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  const inner = [
    schema.not,
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    itemsOf(schema),
    ...Object.values(schema.properties ?? {}),
    additionalSchemaOf(schema),
  ]
  for (const each of inner) {
    const problem = each && structuralProblem(each)
    if (problem) return problem
  }
  return undefined
}

/** The rules of a structural schema: every field's type stands in the plain tree, and logic only narrows. */
export function checkStructural(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  checkNode(schema, 'root', at, errors)
  checkComplete(schema, schema, { at, from: at }, errors)
}

function checkNode(schema: JsonSchema, level: Level, at: FieldPath, errors: FieldErrors): void {
  const items = itemsOf(schema)
  if (schema.type === 'array' && !items) errors.required(at.child('items'), 'must be specified')
  if (items) checkNode(items, 'item', at.child('items'), errors)
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkNode(property, 'field', at.child('properties').key(name), errors)
  if (present(schema.additionalProperties) && level === 'root')
    errors.forbidden(at.child('additionalProperties'), 'must not be used at the root')
  const additional = additionalSchemaOf(schema)
  if (additional) checkNode(additional, 'field', at.child('additionalProperties'), errors)
  if (isIntOrString(schema) && preserves(schema))
    errors.invalid(
      at.child('x-kubernetes-preserve-unknown-fields'),
      true,
      'must be false if x-kubernetes-int-or-string is true',
    )
  if (isIntOrString(schema) && embeds(schema))
    errors.invalid(
      at.child('x-kubernetes-embedded-resource'),
      true,
      'must be false if x-kubernetes-int-or-string is true',
    )
  checkLogic(
    schema,
    { skipAnyOf: isIntOrStringPattern(schema.anyOf), skipFirstAllOf: isIntOrStringPattern(schema.allOf?.[0]?.anyOf) },
    at,
    errors,
  )
  checkType(schema, level, at, errors)
  checkObjectFields(schema, level, at, errors)
}

function checkType(schema: JsonSchema, level: Level, at: FieldPath, errors: FieldErrors): void {
  const { type = '' } = schema
  if (embeds(schema) && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true'
    if (type) errors.invalid(at.child('type'), type, text)
    else errors.required(at.child('type'), text)
  } else if (!type && !isIntOrString(schema) && !preserves(schema))
    errors.required(at.child('type'), emptyTypeTexts[level])
  if (embeds(schema) && present(schema.additionalProperties))
    errors.forbidden(at.child('additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set')
  if (level === 'root' && type && type !== 'object')
    errors.invalid(at.child('type'), type, 'must be object at the root')
}

/** What every object has is there without being said. */
function checkObjectFields(schema: JsonSchema, level: Level, at: FieldPath, errors: FieldErrors): void {
  const properties = schema.properties ?? {}
  const isObject = level === 'root' || embeds(schema)
  for (const name of ['kind', 'apiVersion']) {
    const property = properties[name]
    if (property && isObject && property.type !== 'string')
      errors.invalid(at.child('properties').key(name).child('type'), property.type ?? '', 'must be string')
  }
  const { metadata } = properties
  const path = at.child('properties').key('metadata')
  if (metadata && isObject && metadata.type !== 'object')
    errors.invalid(path.child('type'), metadata.type ?? '', 'must be object')
  if (metadata && level === 'root' && saysMore(metadata))
    errors.forbidden(
      path,
      'must not specify anything other than name and generateName, but metadata is implicitly specified',
    )
  if (embeds(schema) && !preserves(schema) && Object.keys(properties).length === 0) {
    errors.required(
      at.child('properties'),
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    )
  }
}

/** Of metadata only the names may be narrowed. */
function saysMore({ type: _type, default: _default, properties, ...others }: JsonSchema): boolean {
  const names = Object.keys(properties ?? {})
  return (
    names.some((name) => name !== 'name' && name !== 'generateName') ||
    Object.values(others).some((value) => present(value) && value !== false && value !== '')
  )
}

/** The logic that int-or-string fields come with. */
function isIntOrStringPattern(list: readonly JsonSchema[] | undefined): boolean {
  const [first, second] = list ?? []
  const only = (schema: JsonSchema | undefined, type: string) =>
    schema?.type === type && Object.values(schema).filter(present).length === 1
  return list?.length === 2 && only(first, 'integer') && only(second, 'string')
}

interface Skipped {
  readonly skipAnyOf?: boolean
  readonly skipFirstAllOf?: boolean
}

function checkLogic(
  schema: JsonSchema,
  { skipAnyOf, skipFirstAllOf }: Skipped,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!skipAnyOf) schema.anyOf?.forEach((inner, i) => checkNested(inner, {}, at.child('anyOf').index(i), errors))
  schema.allOf?.forEach((inner, i) =>
    checkNested(inner, { skipAnyOf: skipFirstAllOf === true && i === 0 }, at.child('allOf').index(i), errors),
  )
  schema.oneOf?.forEach((inner, i) => checkNested(inner, {}, at.child('oneOf').index(i), errors))
  if (schema.not) checkNested(schema.not, {}, at.child('not'), errors)
  if (schema.pattern) {
    const problem = patternProblem(schema.pattern)
    if (problem)
      errors.invalid(at.child('pattern'), schema.pattern, `must be a valid regular expression, but isn't: ${problem}`)
  }
}

function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What may stand only in the plain tree, with the word that upstream has for its absence. */
const plainOnly: readonly (readonly [keyof JsonSchema, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function checkNested(schema: JsonSchema, skipped: Skipped, at: FieldPath, errors: FieldErrors): void {
  checkLogic(schema, skipped, at, errors)
  const items = itemsOf(schema)
  if (items) checkNested(items, {}, at.child('items'), errors)
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkNested(property, {}, at.child('properties').key(name), errors)
  for (const [key, text] of plainOnly) {
    const value: unknown = schema[key]
    const said =
      key === 'additionalProperties'
        ? allowsAdditional(schema)
        : present(value) && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
    if (said) errors.forbidden(at.child(key), text)
  }
  if (schema.properties?.['metadata'])
    errors.forbidden(at.child('properties').key('metadata'), 'must not be specified in a nested context')
}

/** Where in the tree and where in the logic something stands. */
interface Places {
  readonly at: FieldPath
  readonly from: FieldPath
}

/** What logic speaks of must be in the plain tree. */
function checkComplete(
  logic: JsonSchema,
  tree: JsonSchema | undefined,
  { at, from }: Places,
  errors: FieldErrors,
): void {
  if (logic.not) checkCompleteNested(logic.not, tree, { at, from: from.child('not') }, errors)
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const)
    logic[name]?.forEach((inner, i) =>
      checkCompleteNested(inner, tree, { at, from: from.child(name).index(i) }, errors),
    )
}

function checkCompleteNested(
  logic: JsonSchema,
  tree: JsonSchema | undefined,
  places: Places,
  errors: FieldErrors,
): void {
  const { at, from } = places
  if (!tree) return errors.required(at, `because it is defined in ${from.toString()}`)
  checkComplete(logic, tree, places, errors)
  const items = itemsOf(logic)
  if (items) checkCompleteNested(items, itemsOf(tree), { at: at.child('items'), from: from.child('items') }, errors)
  for (const [name, property] of Object.entries(logic.properties ?? {})) {
    checkCompleteNested(
      property,
      tree.properties?.[name],
      { at: at.child('properties').key(name), from: from.child('properties').key(name) },
      errors,
    )
  }
}
