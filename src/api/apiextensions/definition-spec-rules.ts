import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceValidation,
} from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'
import { FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { equal } from '../validation/equal.ts'
import { isDns1035Label } from '../validation/names.ts'
import { checkDefaults } from './default-rules.ts'
import { type DefinitionForm, definitionForm, hasStatus } from './definition-form.ts'
import {
  checkApproval,
  checkColumns,
  checkConversion,
  checkIdentity,
  checkNames,
  checkSelectable,
  checkSubresources,
  speaksReviews,
} from './definition-rules.ts'
import type { JsonSchema } from '../crd-schema/json-schema.ts'
import { present, schemasIn } from './schema-tree.ts'
import { checkRuleExpressions } from './rule-checker.ts'
import { checkSchema } from './schema-rules.ts'
import { checkStructural, structuralProblem } from './structural-rules.ts'

type Definition = Frozen<CustomResourceDefinition>
type Spec = Frozen<CustomResourceDefinitionSpec>
type Version = Frozen<CustomResourceDefinitionVersion>

/** The rules of a definition; `old` is what it replaces. */
export function checkDefinition(definition: Definition, old: Definition | undefined, errors: FieldErrors): void {
  const { spec, status } = definition
  if (!old) checkName(definition, errors)
  checkSpec(spec, old, errors)
  checkNames(status?.acceptedNames, field('status', 'acceptedNames'), errors)
  checkStored(status?.storedVersions ?? [], spec?.versions ?? [], errors)
  checkApproval(definition, old, errors)
  if (spec?.preserveUnknownFields && !old?.spec?.preserveUnknownFields) {
    errors.invalid(
      field('spec', 'preserveUnknownFields'),
      true,
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    )
  }
}

function checkName({ metadata, spec }: Definition, errors: FieldErrors): void {
  const expected = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`
  for (const key of ['generateName', 'name'] as const) {
    const name = metadata[key]
    if (name && name !== expected)
      errors.invalid(field('metadata', key), name, 'must be spec.names.plural+"."+spec.group')
  }
}

function checkStored(stored: readonly string[], versions: readonly Version[], errors: FieldErrors): void {
  const at = field('status', 'storedVersions')
  if (stored.length === 0) return errors.invalid(at, stored, 'must have at least one stored version')
  for (const { name, storage } of versions)
    if (storage && !stored.includes(name)) errors.invalid(at, stored, `must have the storage version ${name}`)
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return
    errors.invalid(
      at.index(i),
      name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
    )
  })
}

function checkSpec(spec: Spec | undefined, old: Definition | undefined, errors: FieldErrors): void {
  const at = field('spec')
  if (!spec) return checkIdentity({ group: '', scope: '', versions: [], names: { kind: '', plural: '' } }, at, errors)
  const form = definitionForm(spec)
  checkIdentity(spec, at, errors)
  checkSchemasPresent(form, old, at, errors)
  if (spec.preserveUnknownFields && hasDefaults(spec))
    errors.invalid(at.child('preserveUnknownFields'), true, 'must be false in order to use defaults in the schema')
  const unchanged = unchangedSchemas(spec, old?.spec)
  form.versions.forEach((version, i) =>
    checkVersion(
      version,
      { status: hasStatus(version.subresources ?? form.shared.subresources), unchanged: unchanged.has(version.name) },
      at.child('versions').index(i),
      errors,
    ),
  )
  checkVersionList(spec.versions ?? [], at, errors)
  checkShared(form, unchanged.has(spec.versions?.[0]?.name ?? ''), at, errors)
  if (!spec.conversion) return
  if (spec.conversion.strategy !== 'None' && spec.preserveUnknownFields)
    errors.invalid(
      at.child('conversion', 'strategy'),
      spec.conversion.strategy,
      'must be None if spec.preserveUnknownFields is true',
    )
  checkConversion(
    spec.conversion,
    !speaksReviews(old?.spec.conversion?.webhook?.conversionReviewVersions),
    at.child('conversion'),
    errors,
  )
}

/** The versions whose schemas are what they were. */
function unchangedSchemas({ versions }: Spec, old: Spec | undefined): ReadonlySet<string> {
  const before = new Map(old?.versions?.map(({ name, schema }) => [name, schema]))
  return new Set(
    (versions ?? []).flatMap(({ name, schema }) => (before.has(name) && equal(before.get(name), schema) ? [name] : [])),
  )
}

const hasDefaults = (spec: Spec): boolean =>
  (spec.versions ?? []).some((version) =>
    [...schemasIn(version.schema?.openAPIV3Schema)].some((schema) => present(schema.default)),
  )

/** Every version has a schema, unless an old one had none already. */
function checkSchemasPresent(
  { versions, shared }: DefinitionForm,
  old: Definition | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (shared.schema?.openAPIV3Schema) return
  const lacked = old?.spec.versions?.some(({ schema }) => !schema?.openAPIV3Schema)
  versions.forEach(({ schema, served }, i) => {
    if (schema?.openAPIV3Schema || (lacked && !served)) return
    errors.required(
      at.child('versions').index(i).child('schema', 'openAPIV3Schema'),
      lacked ? 'because otherwise all fields are pruned' : '',
    )
  })
}

function checkVersionList(versions: readonly Version[], at: FieldPath, errors: FieldErrors): void {
  const path = at.child('versions')
  versions.forEach(({ name = '' }, i) => {
    const problems = isDns1035Label(name)
    if (problems.length) errors.invalid(path.index(i).child('name'), name, problems.join(','))
  })
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.invalid(path, versions, 'must contain unique version names')
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.invalid(path, versions, 'must have exactly one version marked as storage version')
  // The first version is told of a second time, as the name of a field that is long gone.
  const first = versions[0]?.name ?? ''
  const problems = first ? isDns1035Label(first) : []
  if (problems.length) errors.invalid(at.child('version'), first, problems.join(','))
}

/** What the rules of a schema depend on besides it. */
interface Around {
  /** There is a status subresource. */
  readonly status: boolean
  /** The schema was there before. */
  readonly unchanged: boolean
}

function checkVersion(version: Version, around: Around, at: FieldPath, errors: FieldErrors): void {
  for (const problem of deprecationProblems(version))
    errors.invalid(at.child('deprecationWarning'), version.deprecationWarning, problem)
  if (version.schema) checkValidation(version.schema, around, at.child('schema'), errors)
  checkSubresources(version.subresources, at.child('subresources'), errors)
  checkColumns(version.additionalPrinterColumns, at.child('additionalPrinterColumns'), errors)
  const fields = version.selectableFields
  if (!fields?.length) return
  if (version.schema?.openAPIV3Schema)
    checkSelectable(fields, version.schema.openAPIV3Schema, at.child('selectableFields'), errors)
  else
    errors.invalid(
      at.child('selectableFields'),
      '',
      'may only be set when `version.schema.openAPIV3Schema` is not included',
    )
}

function deprecationProblems({ deprecated, deprecationWarning: warning }: Version): string[] {
  if (warning === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const problems: string[] = []
  if (Buffer.byteLength(warning) > 256) problems.push('must be <= 256 characters long')
  if (!warning) problems.push('must not be an empty string')
  const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning)
  if (bad)
    problems.push(
      `must only contain printable UTF-8 characters; non-printable character found at index ${Buffer.byteLength(warning.slice(0, bad.index))}`,
    )
  return problems
}

/** What all versions have alike is checked once. */
function checkShared(
  { versions, shared }: DefinitionForm,
  unchanged: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const status = hasStatus(shared.subresources) || versions.some(({ subresources }) => hasStatus(subresources))
  if (shared.schema) checkValidation(shared.schema, { status, unchanged }, at.child('validation'), errors)
  checkSubresources(shared.subresources, at.child('subresources'), errors)
  checkColumns(shared.additionalPrinterColumns, at.child('additionalPrinterColumns'), errors)
  if (!shared.selectableFields?.length) return
  if (shared.schema?.openAPIV3Schema)
    checkSelectable(shared.selectableFields, shared.schema.openAPIV3Schema, at.child('selectableFields'), errors)
  else errors.invalid(at.child('selectableFields'), '', 'may only be set when validations.schema is included')
}

/** What a schema with a status beside it may say at its root. */
const rootKeys = new Set([
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
])

function checkValidation(
  { openAPIV3Schema: schema }: Frozen<CustomResourceValidation>,
  { status, unchanged }: Around,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!schema) return
  const path = at.child('openAPIV3Schema')
  const before = errors.list.length
  if (status) checkRoot(schema, path, errors)
  if (schema.nullable) errors.forbidden(path.child('nullable'), 'nullable cannot be true at the root')
  const problem = structuralProblem(schema)
  if (!problem) {
    const found = new FieldErrors()
    checkStructural(schema, path, found)
    if (found.empty) checkDefaults({ ...schema, 'x-kubernetes-embedded-resource': true }, path, found)
    errors.list.push(...found.list)
  }
  checkSchema(schema, path, errors, { root: true })
  if (!problem) checkRuleExpressions(schema, path, errors, unchanged)
  if (problem && errors.list.length === before) errors.invalid(path, '', problem)
}

function checkRoot(schema: JsonSchema, at: FieldPath, errors: FieldErrors): void {
  // Upstream goes through its fields in their order and stops at the first that may not be there.
  if (schema.type && schema.type !== 'object')
    return errors.invalid(
      at.child('type'),
      schema.type,
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
    )
  const bad = Object.entries(schema).some(
    ([key, value]) => present(value) && value !== false && (value !== '' || key === '$ref') && !rootKeys.has(key),
  )
  if (bad)
    errors.invalid(
      at,
      schema,
      `only [${[...rootKeys].join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`,
    )
}
