import { jobs } from '../generated/resources.ts'
import type { Job, JobSpec } from '../generated/types/batch-v1.ts'
import type { PodTemplateSpec } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../validation/labels.ts'
import { immutableText, isLabel } from '../validation/names.ts'
import { dropDisabledFields } from '../core/pod-spec/disabled.ts'
import { rulesOfUpdate } from '../core/pod-spec/rules.ts'
import { checkTemplateLabels, hostnameWarnings, validMatcher } from '../core/pod-spec/workloads.ts'
import { checkJobSpec, defaultJobPolicies, jobSpecWarnings } from './job-spec.ts'
import { checkJobStatus } from './job-status.ts'
import { jobRow } from './job-row.ts'

const forEver = 2 ** 31 - 1
const nameLabels = ['job-name', 'batch.kubernetes.io/job-name']
const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid']
const uidLabel = 'batch.kubernetes.io/controller-uid'

/** What a Job does. */
export const jobDefinition = defineKind(jobs, {
  row: jobRow,
  status: true,
  metadata: { onUpdate: 'both' },
  fields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  defaults(job) {
    const spec = ensure(job, 'spec')
    if (spec.parallelism === undefined) spec.completions ??= 1
    spec.parallelism ??= 1
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : forEver
    spec.completionMode ??= 'NonIndexed'
    spec.suspend ??= false
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
    spec.manualSelector ??= false
    const labels = spec.template?.metadata?.labels
    // The very same labels, as in upstream: those that are generated for the Pods become the Job's, too.
    if (labels && !Object.keys(job.metadata.labels ?? {}).length) job.metadata.labels = labels
    defaultJobPolicies(spec)
  },
  prepareCreate(job) {
    const spec = ensure(job, 'spec')
    if (!spec.manualSelector) generateSelector(job, spec)
    if (spec.template?.spec) dropDisabledFields(spec.template.spec)
  },
  prepareUpdate: ({ spec }, old) =>
    spec?.template?.spec && dropDisabledFields(spec.template.spec, old.spec?.template?.spec),
  canonicalize: (job) => job.spec && inheritLabels(job, job.spec),
  validate: (job, errors) => checkJob(job, undefined, errors),
  validateUpdate(job, old, errors, { subresource }) {
    if (subresource === 'status') return checkJobStatus(job, old, errors)
    checkJob(job, old, errors)
    // Upstream tells errors of the spec twice.
    checkSpec(job.spec, old.spec, errors)
    if (job.spec && old.spec) checkChange(job.spec, old.spec, old, errors)
  },
  warnings({ metadata, spec }, old) {
    if (old && metadata.generation === old.metadata.generation) return []
    return [...(old ? [] : hostnameWarnings(metadata.name)), ...jobSpecWarnings(spec, field('spec'))]
  },
})

/** Without labels of its own a Job has those of its Pods. */
function inheritLabels({ metadata }: Job, { template }: JobSpec): void {
  const labels = template?.metadata?.labels
  if (labels && !Object.keys(metadata.labels ?? {}).length) metadata.labels = { ...labels }
}

/** Labels that only this Job's Pods have. What the author set stays, and is refused where it conflicts. */
function generateSelector({ metadata }: Job, spec: JobSpec): void {
  const labels = ensure(ensure(ensure(spec, 'template'), 'metadata'), 'labels')
  for (const name of nameLabels) labels[name] ??= metadata.name ?? ''
  for (const name of uidLabels) labels[name] ??= metadata.uid ?? ''
  ensure(ensure(spec, 'selector'), 'matchLabels')[uidLabel] ??= metadata.uid ?? ''
}

function checkJob(job: Frozen<Job>, old: Frozen<Job> | undefined, errors: FieldErrors): void {
  const oldLabels = old?.spec?.template?.metadata?.labels
  const prefixed = !old || (oldLabels?.[nameLabels[1] ?? ''] !== undefined && oldLabels[uidLabel] !== undefined)
  checkGeneratedSelector(job, prefixed, errors)
  checkSpec(job.spec, old?.spec, errors)
  const { completionMode, completions = 0 } = job.spec ?? {}
  if (completionMode !== 'Indexed' || completions <= 0) return
  const hostname = `${job.metadata.name}-${completions - 1}`
  if (isLabel(hostname).length)
    errors.invalid(
      field('metadata', 'name'),
      job.metadata.name,
      `will not able to create pod with invalid DNS label: ${hostname}`,
    )
}

function checkGeneratedSelector({ metadata, spec }: Frozen<Job>, prefixed: boolean, errors: FieldErrors): void {
  if (!spec || spec.manualSelector || !spec.selector) return
  const { uid = '', name = '' } = metadata
  if (!uid) errors.required(field('metadata', 'uid'))
  const expected: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    ...(prefixed && { [uidLabel]: uid, 'batch.kubernetes.io/job-name': name }),
  }
  const labels = spec.template?.metadata?.labels
  const at = field('spec', 'template', 'metadata', 'labels')
  for (const [key, value] of Object.entries(expected)) {
    if (labels?.[key] === undefined) errors.required(at.key(key), `must be '${value}'`)
    else if (labels[key] !== value) errors.invalid(at.key(key), labels, `must be '${value}'`)
  }
  const matcher = validMatcher(spec.selector)
  if (matcher && !matcher.matches(expected))
    errors.invalid(field('spec', 'selector'), spec.selector, '`selector` not auto-generated')
}

function checkSpec(spec: Frozen<JobSpec> | undefined, old: Frozen<JobSpec> | undefined, errors: FieldErrors): void {
  if (!spec) return
  const at = field('spec')
  checkJobSpec(spec, at, errors, old)
  const { selector, template } = spec
  const anyValue =
    hasInvalidValues(old?.selector) ||
    !!rulesOfUpdate({ isPod: false }, old?.template?.spec, undefined).anySelectorValue
  if (!selector) errors.required(at.child('selector'))
  else checkLabelSelector(selector, at.child('selector'), errors, anyValue ? { anyValue: true } : {})
  const matcher = validMatcher(selector)
  if (matcher && !matcher.everything) checkTemplateLabels(matcher, template, at.child('template'), errors)
}

const fixed = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

function checkChange(spec: Frozen<JobSpec>, before: Frozen<JobSpec>, old: Frozen<Job>, errors: FieldErrors): void {
  const at = field('spec')
  checkCompletions(spec, before, at.child('completions'), errors)
  for (const name of fixed)
    if (!equal(spec[name], before[name])) errors.invalid(at.child(name), spec[name], immutableText)
  // Before a suspended Job has ever started, where its Pods may go can still be changed.
  const template =
    before.suspend && old.status?.startTime === undefined
      ? withDirectives(before.template, spec.template)
      : before.template
  if (!equal(spec.template, template)) errors.invalid(at.child('template'), spec.template, immutableText)
}

function checkCompletions(
  { completions, parallelism, completionMode }: Frozen<JobSpec>,
  before: Frozen<JobSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (completions === before.completions) return
  if (completionMode !== 'Indexed') errors.invalid(at, completions, immutableText)
  else if (completions !== undefined && completions !== parallelism)
    errors.invalid(at, completions, 'can only be modified in tandem with spec.parallelism')
}

/** The old template with the new one's labels, annotations and directives for the scheduler. */
function withDirectives(old: Frozen<PodTemplateSpec> = {}, now: Frozen<PodTemplateSpec> = {}): Frozen<PodTemplateSpec> {
  if (!old.spec || !now.spec) return old
  const { nodeAffinity: _, ...others } = old.spec.affinity ?? {}
  const nodeAffinity = now.spec.affinity?.nodeAffinity
  const affinity = { ...others, ...(nodeAffinity && { nodeAffinity }) }
  const hasAffinity = now.spec.affinity !== undefined || Object.keys(affinity).length > 0
  const directives: Record<string, unknown> = {
    affinity: hasAffinity ? affinity : undefined,
    nodeSelector: now.spec.nodeSelector,
    tolerations: now.spec.tolerations,
    schedulingGates: now.spec.schedulingGates,
  }
  const metadata: Record<string, unknown> = {
    ...old.metadata,
    labels: now.metadata?.labels,
    annotations: now.metadata?.annotations,
  }
  return { metadata, spec: { ...old.spec, ...directives } }
}
