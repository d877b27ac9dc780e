import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceSubresources,
  CustomResourceSubresourceScale,
  SelectableField,
} from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isDns1035Label, isSubdomain } from '../validation/names.ts'
import { checkWebhookClient } from '../validation/webhook-client.ts'
import { findField } from './field-paths.ts'
import type { JsonSchema } from '../crd-schema/json-schema.ts'

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const reviewVersions = ['v1', 'v1beta1']
const selectableMax = 8

/** Says everything that a rule has against a text in one error, as definitions do. */
function checkJoined(
  rule: (text: string) => readonly string[],
  text: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const problems = rule(text)
  if (problems.length) errors.invalid(at, text, problems.join(','))
}

function isMixedLabel(text: string): readonly string[] {
  const problems = isDns1035Label(text.toLowerCase())
  return problems.length ? [`may have mixed case, but should otherwise match: ${problems.join(',')}`] : []
}

/** The rules of the names under which a kind is served. */
export function checkNames(
  names: Frozen<CustomResourceDefinitionNames> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { plural, singular, kind, listKind, shortNames, categories } = names ?? {}
  if (plural) checkJoined(isDns1035Label, plural, at.child('plural'), errors)
  if (singular) checkJoined(isDns1035Label, singular, at.child('singular'), errors)
  if (kind) checkJoined(isMixedLabel, kind, at.child('kind'), errors)
  if (listKind) checkJoined(isMixedLabel, listKind, at.child('listKind'), errors)
  shortNames?.forEach((name, i) => checkJoined(isDns1035Label, name, at.child('shortNames').index(i), errors))
  if (kind && kind === listKind) errors.invalid(at.child('listKind'), listKind, 'kind and listKind may not be the same')
  categories?.forEach((name, i) => checkJoined(isDns1035Label, name, at.child('categories').index(i), errors))
}

/** Group, scope and names. */
export function checkIdentity(
  { group = '', scope = '', names }: Frozen<CustomResourceDefinitionSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const problems = isSubdomain(group)
  if (!group) errors.required(at.child('group'))
  else if (problems.length) errors.invalid(at.child('group'), group, problems.join(','))
  else if (!group.includes('.')) errors.invalid(at.child('group'), group, 'should be a domain with at least one dot')
  checkOneOf(scope, ['Cluster', 'Namespaced'], at.child('scope'), errors)
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
    if (!names?.[name]) errors.required(at.child('names', name))
  checkNames(names, at.child('names'), errors)
}

function checkOneOf(value: string, allowed: readonly string[], at: FieldPath, errors: FieldErrors): void {
  if (!value) errors.required(at)
  else if (!allowed.includes(value)) errors.notSupported(at, value, allowed)
}

/** The rules of how versions convert. */
export function checkConversion(
  conversion: Frozen<CustomResourceConversion>,
  anyVersion: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { strategy = '', webhook } = conversion
  checkOneOf(strategy, ['None', 'Webhook'], at.child('strategy'), errors)
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig) checkWebhookClient(webhook.clientConfig, at.child('webhookClientConfig'), errors)
    else errors.required(at.child('webhookClientConfig'), 'required when strategy is set to Webhook')
    return checkReviewVersions(
      webhook?.conversionReviewVersions ?? [],
      anyVersion,
      at.child('conversionReviewVersions'),
      errors,
    )
  }
  if (webhook?.clientConfig)
    errors.forbidden(at.child('webhookClientConfig'), 'should not be set when strategy is not set to Webhook')
  if (webhook?.conversionReviewVersions?.length)
    errors.forbidden(at.child('conversionReviewVersions'), 'should not be set when strategy is not set to Webhook')
}

function checkReviewVersions(
  versions: readonly string[],
  anyVersion: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (versions.length === 0) return errors.required(at)
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) return errors.invalid(at.index(i), version, 'duplicate version')
    for (const problem of isDns1035Label(version)) errors.invalid(at.index(i), version, problem)
  })
  if (!anyVersion && !versions.some((version) => reviewVersions.includes(version)))
    errors.invalid(at, versions, `must include at least one of ${reviewVersions.join(', ')}`)
}

/** Whether a list of review versions is one that this server can speak. */
export const speaksReviews = (versions: readonly string[] | undefined): boolean =>
  !versions?.length || versions.some((version) => reviewVersions.includes(version))

/** The rules of the columns that tables have. */
export function checkColumns(
  columns: readonly Frozen<CustomResourceColumnDefinition>[] | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  columns?.forEach(({ name, type, format, jsonPath }, i) => {
    const path = at.index(i)
    const known = `must be one of ${columnTypes.join(',')}`
    if (!name) errors.required(path.child('name'))
    if (!type) errors.required(path.child('type'), known)
    else if (!columnTypes.includes(type)) errors.invalid(path.child('type'), type, known)
    if (format && !columnFormats.includes(format))
      errors.invalid(path.child('format'), format, `must be one of ${columnFormats.join(',')}`)
    if (!jsonPath) errors.required(path.child('JSONPath'))
    else checkJsonPath(jsonPath, path.child('JSONPath'), errors)
  })
}

function checkJsonPath(path: string, at: FieldPath, errors: FieldErrors): boolean {
  if (path.startsWith('.')) return true
  errors.invalid(at, path, 'must be a simple json path starting with .')
  return false
}

/** The rules of the subresources. */
export function checkSubresources(
  subresources: Frozen<CustomResourceSubresources> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const scale = subresources?.scale
  if (!scale) return
  checkScalePath(scale, 'specReplicasPath', ['.spec.'], { at, errors })
  checkScalePath(scale, 'statusReplicasPath', ['.status.'], { at, errors })
  if (scale.labelSelectorPath) checkScalePath(scale, 'labelSelectorPath', ['.spec.', '.status.'], { at, errors })
}

function checkScalePath(
  scale: Frozen<CustomResourceSubresourceScale>,
  name: keyof CustomResourceSubresourceScale,
  roots: readonly string[],
  { at, errors }: { at: FieldPath; errors: FieldErrors },
): void {
  const path = scale[name]
  const place = at.child('scale', name)
  if (!path) return errors.required(place)
  if (!checkJsonPath(path, place, errors) || roots.some((root) => path.startsWith(root))) return
  errors.invalid(
    place,
    path,
    roots.length > 1
      ? 'should be a json path under either .spec or .status'
      : `should be a json path under ${roots[0]?.slice(0, -1)}`,
  )
}

/** The rules of the fields by which clients may select. */
export function checkSelectable(
  fields: readonly Frozen<SelectableField>[],
  schema: JsonSchema,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const seen = new Set<string>()
  fields.forEach(({ jsonPath }, i) => {
    const path = at.index(i).child('jsonPath')
    if (!jsonPath) return errors.required(path)
    const found = findField(jsonPath, schema, false)
    if (typeof found === 'string') return errors.invalid(path, jsonPath, `is an invalid path: ${found}`)
    if (found.steps[0] === 'metadata') errors.invalid(path, jsonPath, 'must not point to fields in metadata')
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? ''))
      errors.invalid(
        path,
        jsonPath,
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      )
    const key = JSON.stringify(found.steps)
    if (seen.has(key)) errors.duplicate(path, jsonPath)
    seen.add(key)
  })
  if (seen.size > selectableMax) errors.tooMany(at, seen.size, selectableMax)
}

const approvalAnnotation = 'api-approved.kubernetes.io'
const pullRequest = 'https://github.com/kubernetes/enhancements/pull/1111'

/** Groups of the Kubernetes project are for what it approved. */
function approvalProblem(annotation: string | undefined): string | undefined {
  if (!annotation) return `protected groups must have approval annotation "${approvalAnnotation}", see ${pullRequest}`
  if (annotation.startsWith('unapproved') || (URL.canParse(annotation) && new URL(annotation).host)) return undefined
  return `protected groups must have approval annotation "${approvalAnnotation}" with either a URL or a reason starting with "unapproved", see ${pullRequest}`
}

/** A definition in a protected group (*.k8s.io) must say that its API was reviewed. */
export function checkApproval(
  { metadata, spec }: Frozen<CustomResourceDefinition>,
  old: Frozen<CustomResourceDefinition> | undefined,
  errors: FieldErrors,
): void {
  const group = spec?.group ?? ''
  if (!['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`))) return
  const annotation = metadata.annotations?.[approvalAnnotation]
  const problem = approvalProblem(annotation)
  if (!problem || (old && approvalProblem(old.metadata.annotations?.[approvalAnnotation]) === problem)) return
  const at = field('metadata', 'annotations').key(approvalAnnotation)
  if (annotation) errors.invalid(at, annotation, problem)
  else errors.required(at, problem)
}
