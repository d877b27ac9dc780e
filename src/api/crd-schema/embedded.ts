import type { Frozen, KubernetesObject } from '../resource.ts'
import { field, FieldErrors, type FieldPath } from '../validation/field.ts'
import { validateMetadata } from '../validation/metadata.ts'
import { isDns1035Label, pathSegmentErrors } from '../validation/names.ts'
import { childOf, isObject, itemsOf, type JsonObject, type JsonSchema } from './json-schema.ts'

/** Objects in objects: what every object needs, and its metadata. */
export function validateEmbedded(schema: JsonSchema | undefined, object: unknown, errors: FieldErrors): void {
  if (schema) visit(schema, object, field(), errors)
}

function visit(schema: JsonSchema, value: unknown, at: FieldPath, errors: FieldErrors): void {
  if (!hasEmbedded(schema)) return
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (items) value.forEach((item, i) => visit(items, item, at.index(i), errors))
  } else if (isObject(value)) {
    if (schema['x-kubernetes-embedded-resource']) checkObject(value, at, errors)
    for (const name of Object.keys(value)) {
      const child = childOf(schema, name)
      if (child) visit(child, value[name], at.child(name), errors)
    }
  }
}

function checkObject(object: JsonObject, at: FieldPath, errors: FieldErrors): void {
  const { apiVersion, kind, metadata } = object
  if (!('apiVersion' in object)) errors.required(at.child('apiVersion'))
  else if (apiVersion === '') errors.invalid(at.child('apiVersion'), apiVersion, 'must not be empty')
  else if (typeof apiVersion !== 'string') errors.invalid(at.child('apiVersion'), apiVersion, 'must be a string')
  else if (apiVersion.split('/').length > 2)
    errors.invalid(at.child('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`)
  if (!('kind' in object)) errors.required(at.child('kind'))
  else if (kind === '') errors.invalid(at.child('kind'), kind, 'must not be empty')
  else if (typeof kind !== 'string') errors.invalid(at.child('kind'), kind, 'must be a string')
  else {
    const problems = isDns1035Label(kind.toLowerCase())
    if (problems.length)
      errors.invalid(at.child('kind'), kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`)
  }
  if (isObject(metadata)) checkMetadata(metadata, at, errors)
}

function checkMetadata(metadata: JsonObject, at: FieldPath, errors: FieldErrors): void {
  const found = new FieldErrors()
  const object = { metadata: { ...metadata, name: metadata['name'] || 'fakename' } } as Frozen<KubernetesObject>
  validateMetadata(
    object,
    {
      resource: { namespaced: Boolean(metadata['namespace']) },
      behaviour: { nameErrors: pathSegmentErrors, metadata: { finalizers: 'any' } },
    },
    found,
  )
  const path = at.toString()
  for (const problem of found.list)
    errors.list.push({ ...problem, field: path ? `${path}.${problem.field}` : problem.field })
}

const known = new WeakMap<JsonSchema, boolean>()

function hasEmbedded(schema: JsonSchema): boolean {
  let has = known.get(schema)
  if (has === undefined) {
    const { additionalProperties } = schema
    const items = itemsOf(schema)
    has =
      schema['x-kubernetes-embedded-resource'] === true ||
      Object.values(schema.properties ?? {}).some(hasEmbedded) ||
      (typeof additionalProperties === 'object' &&
        additionalProperties !== null &&
        hasEmbedded(additionalProperties as JsonSchema)) ||
      (items !== undefined && hasEmbedded(items))
    known.set(schema, has)
  }
  return has
}
