import type { ValidationRule } from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { fieldPathProblem } from './field-paths.ts'
import { itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { additionalSchemaOf, present } from './schema-tree.ts'
import { checkListType, checkListKeys } from './list-rules.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const metaFields = new Set(['metadata', 'kind', 'apiVersion'])

/** How a schema is checked, by where it stands. */
export interface SchemaScope {
  readonly root?: boolean
  readonly insideMeta?: boolean
  /** Why there may be no defaults. */
  readonly noDefaults?: string
}

/** The rules of a custom kind's schema besides its structure. */
export function checkSchema(schema: JsonSchema, at: FieldPath, errors: FieldErrors, scope: SchemaScope): void {
  checkKeywords(schema, at, errors, scope)
  checkObject(schema, at, errors, scope)
  const inner = {
    ...(scope.insideMeta && { insideMeta: true }),
    ...(scope.noDefaults !== undefined && { noDefaults: scope.noDefaults }),
  }
  if (schema.not) checkSchema(schema.not, at.child('not'), errors, inner)
  for (const name of ['allOf', 'oneOf', 'anyOf'] as const)
    schema[name]?.forEach((each, i) => checkSchema(each, at.child(name).index(i), errors, inner))
  for (const [name, each] of Object.entries(schema.definitions ?? {}))
    checkSchema(each, at.child('definitions').key(name), errors, inner)
  const items = itemsOf(schema)
  if (items) checkSchema(items, at.child('items'), errors, inner)
  else if (Array.isArray(schema.items))
    (schema.items as readonly JsonSchema[]).forEach((each, i) =>
      checkSchema(each, at.child('items').index(i), errors, inner),
    )
  checkExtensions(schema, at, errors)
  schema['x-kubernetes-validations']?.forEach((rule, i) =>
    checkValidationRule(rule, schema, at.child('x-kubernetes-validations').index(i), errors),
  )
}

/** Keywords that are refused with their reasons. */
const refused: readonly (readonly [keyof JsonSchema, string])[] = [
  ['id', 'id is not supported'],
  ['additionalItems', 'additionalItems is not supported'],
  ['patternProperties', 'patternProperties is not supported'],
  ['definitions', 'definitions is not supported'],
  ['dependencies', 'dependencies is not supported'],
  ['$ref', '$ref is not supported'],
]

function checkKeywords(
  schema: JsonSchema,
  at: FieldPath,
  errors: FieldErrors,
  { insideMeta, noDefaults }: SchemaScope,
): void {
  const { type } = schema
  if (type && !types.includes(type)) errors.notSupported(at.child('type'), type, types)
  if (present(schema.default) && noDefaults !== undefined)
    errors.forbidden(at.child('default'), `must not be set ${noDefaults}`)
  for (const [key, text] of refused) {
    const value: unknown = schema[key]
    const empty =
      (value === '' && key === 'id') ||
      ((key === 'patternProperties' || key === 'definitions') &&
        typeof value === 'object' &&
        value !== null &&
        Object.keys(value).length === 0)
    if (present(value) && !empty) errors.forbidden(at.child(key), text)
  }
  if (type === 'null') errors.forbidden(at.child('type'), 'type cannot be set to null, use nullable as an alternative')
  if (Array.isArray(schema.items) && schema.items.length)
    errors.forbidden(at.child('items'), 'items must be a schema object and not an array')
  if (insideMeta && schema['x-kubernetes-embedded-resource'])
    errors.forbidden(at.child('x-kubernetes-embedded-resource'), 'must not be used inside of resource meta')
  if (schema.uniqueItems)
    errors.forbidden(
      at.child('uniqueItems'),
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    )
}

function checkObject(schema: JsonSchema, at: FieldPath, errors: FieldErrors, scope: SchemaScope): void {
  const properties = Object.entries(schema.properties ?? {})
  const additional = additionalSchemaOf(schema)
  if (
    present(schema.additionalProperties) &&
    properties.length &&
    (schema.additionalProperties === false || additional)
  )
    errors.forbidden(at.child('additionalProperties'), 'additionalProperties and properties are mutual exclusive')
  const { root, ...inner } = scope
  if (additional)
    checkSchema(
      additional,
      at.child('additionalProperties'),
      errors,
      scope.insideMeta ? { ...inner, noDefaults: 'inside additionalProperties applying to object metadata' } : inner,
    )
  for (const [name, property] of properties) {
    const meta = (root || schema['x-kubernetes-embedded-resource']) && metaFields.has(name)
    const below = meta ? { ...inner, insideMeta: true, ...(root && { noDefaults: `in top-level ${name}` }) } : inner
    checkSchema(property, at.child('properties').key(name), errors, below)
  }
}

function checkExtensions(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.invalid(at.child('x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined')
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== undefined && schema.type !== 'object') {
    const text = 'must be object if x-kubernetes-map-type is specified'
    if (schema.type) errors.invalid(at.child('type'), schema.type, text)
    else errors.required(at.child('type'), text)
  }
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
    errors.notSupported(at.child('x-kubernetes-map-type'), mapType, ['atomic', 'granular'])
  checkListType(schema, at, errors)
  checkListKeys(schema, at, errors)
}

const newline = /[\n\r]/

function checkValidationRule(
  rule: Frozen<ValidationRule>,
  schema: JsonSchema,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { message = '', messageExpression = '', reason, fieldPath = '' } = rule
  const expression = rule.rule ?? ''
  if (!expression.trim()) errors.required(at.child('rule'), 'rule is not specified')
  else if (message && !message.trim()) errors.invalid(at.child('message'), message, 'must be non-empty if specified')
  else if (newline.test(message.trim())) errors.invalid(at.child('message'), message, 'must not contain line breaks')
  else if (newline.test(expression.trim()) && !message.trim())
    errors.required(at.child('message'), 'message must be specified if rule contains line breaks')
  if (messageExpression && !messageExpression.trim())
    errors.required(at.child('messageExpression'), 'messageExpression must be non-empty if specified')
  if (reason !== undefined && !reasons.includes(reason)) errors.notSupported(at.child('reason'), reason, reasons)
  if (!fieldPath) return
  const path = at.child('fieldPath')
  if (!fieldPath.trim()) errors.invalid(path, fieldPath, 'must be non-empty if specified')
  if (newline.test(fieldPath)) errors.invalid(path, fieldPath, 'must not contain line breaks')
  if (fieldPathProblem(fieldPath, schema)) errors.invalid(path, fieldPath, 'must be a valid path')
}
