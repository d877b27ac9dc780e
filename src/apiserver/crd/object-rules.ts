import { Correlated } from '../../api/crd-schema/correlated.ts'
import { validateEmbedded } from '../../api/crd-schema/embedded.ts'
import { isObject, type JsonSchema } from '../../api/crd-schema/json-schema.ts'
import { validateListTypes } from '../../api/crd-schema/list-types.ts'
import { hasRules, validateRules } from '../../api/crd-schema/rules.ts'
import { validateValue } from '../../api/crd-schema/value-validator.ts'
import type { CustomResourceDefinitionVersion } from '../../api/generated/types/apiextensions-v1.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { field, FieldPath, type FieldErrors, type FieldErrorReason } from '../../api/validation/field.ts'

type Version = Frozen<CustomResourceDefinitionVersion>
type Stored = Frozen<KubernetesObject>

/** What the objects of one version have to obey. */
export interface ObjectRules {
  created(object: Stored, errors: FieldErrors): void
  updated(object: Stored, old: Stored, subresource: string, errors: FieldErrors): void
}

/** Makes the rules of a version. */
export function objectRules({ schema: validation, subresources }: Version): ObjectRules {
  const schema = validation?.openAPIV3Schema
  const replicas = (object: Stored, errors: FieldErrors, parts: readonly ('spec' | 'status')[]) => {
    const { scale } = subresources ?? {}
    if (scale && parts.includes('spec')) checkReplicas(object, scale.specReplicasPath, errors)
    if (scale && parts.includes('status')) checkReplicas(object, scale.statusReplicasPath, errors)
    if (scale?.labelSelectorPath && parts.includes('status')) checkSelector(object, scale.labelSelectorPath, errors)
  }
  return {
    created(object, errors) {
      if (schema) validateValue(schema, object, { path: '', old: undefined, errors })
      replicas(object, errors, ['spec', 'status'])
      validateEmbedded(schema, object, errors)
      errors.list.push(...validateListTypes(schema, object).list)
      expressions(schema, object, undefined, errors)
    },
    updated(object, old, subresource, errors) {
      if (schema && subresource === 'status') checkStatus(schema, object, old, errors)
      else if (schema) validateValue(schema, object, { path: '', old: new Correlated(object, old, schema), errors })
      replicas(object, errors, subresource === 'status' ? ['status'] : ['spec', 'status'])
      validateEmbedded(schema, object, errors)
      if (validateListTypes(schema, old).empty) errors.list.push(...validateListTypes(schema, object).list)
      expressions(schema, object, old, errors)
    },
  }
}

/** Only the status is looked at. */
function checkStatus(schema: JsonSchema, object: Stored, old: Stored, errors: FieldErrors): void {
  const part = schema.properties?.['status']
  const { status } = object as { status?: unknown }
  if (!part || status === undefined) return
  const { status: before } = old as { status?: unknown }
  validateValue(part, status, {
    path: 'status',
    old: before === undefined ? undefined : new Correlated(status, before, part),
    errors,
  })
}

/** Errors after which expressions could be surprised. */
const blocking: ReadonlySet<FieldErrorReason> = new Set<FieldErrorReason>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

function expressions(
  schema: JsonSchema | undefined,
  object: Stored,
  old: Stored | undefined,
  errors: FieldErrors,
): void {
  if (!schema || !hasRules(schema)) return
  if (!errors.list.some(({ reason }) => blocking.has(reason))) return validateRules(schema, object, old, errors)
  errors.invalid(
    new FieldPath(undefined, '<nil>'),
    null,
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  )
}

const replicasMax = 2 ** 31 - 1

const valueAt = (object: Stored, path: string): unknown =>
  path
    .replace(/^\./, '')
    .split('.')
    .reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), object)

function checkReplicas(object: Stored, path: string, errors: FieldErrors): void {
  const value = valueAt(object, path)
  if (value === undefined) return
  const at = field(path)
  if (typeof value !== 'number' || !Number.isInteger(value))
    errors.invalid(at, 0, `${path} accessor error: ${JSON.stringify(value)} is not an int64`)
  else if (value < 0) errors.invalid(at, value, 'should be a non-negative integer')
  else if (value > replicasMax) errors.invalid(at, value, `should be less than or equal to ${replicasMax}`)
}

function checkSelector(object: Stored, path: string, errors: FieldErrors): void {
  const value = valueAt(object, path)
  if (value !== undefined && typeof value !== 'string')
    errors.invalid(field(path), '', `${path} accessor error: ${JSON.stringify(value)} is not a string`)
}
