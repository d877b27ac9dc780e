import {
  cronJobs,
  daemonSets,
  deployments,
  jobs,
  namespaces,
  pods,
  podTemplates,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../../api/generated/resources.ts'
import { invalid } from '../../../api/errors/api-error.ts'
import type { Namespace, Pod, PodSpec, PodTemplateSpec } from '../../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { equal } from '../../../api/validation/equal.ts'
import { FieldErrors } from '../../../api/validation/field.ts'
import type { Lookup } from '../../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { refusal } from '../forbidden.ts'
import { isResource } from '../kinds.ts'
import { detailsOf, levelText, policyOf, rank, violationsOf, type Policy } from './policy.ts'

const templated = [
  podTemplates,
  replicationControllers,
  replicaSets,
  deployments,
  daemonSets,
  statefulSets,
  jobs,
  cronJobs,
]

/** Subresources of pods that do not change what the pod may do. */
const harmless: ReadonlySet<string> = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
  'token',
  'resize',
])

/** Pod security: pods keep to the level that their namespace's labels name. */
export function podSecurity(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles(operation, kind, subresource) {
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false
      if (isResource(kind, pods)) return !harmless.has(subresource)
      return (
        subresource === '' && (isResource(kind, namespaces) || templated.some((resource) => isResource(kind, resource)))
      )
    },
    validate(attributes) {
      if (isResource(attributes.kind, namespaces)) return checkNamespace(attributes, lookup)
      const labels = lookup.get(namespaces, { name: attributes.namespace })?.metadata?.labels
      if (!labels) return
      const policy = policyOf(labels)
      if (isResource(attributes.kind, pods)) return checkPod(attributes, policy)
      const template = templateOf(attributes)
      if (template?.spec) warnOf(attributes, policy, template.metadata ?? {}, template.spec)
    },
  }
}

function checkPod(attributes: Attributes, policy: Policy): void {
  const pod = attributes.object as Frozen<Pod>
  const old = attributes.old as Frozen<Pod> | undefined
  if (!pod.spec || (old?.spec && !isSignificant(pod.spec, old.spec))) return
  const violations = violationsOf(policy.enforce, pod.metadata ?? {}, pod.spec)
  if (violations.length > 0)
    throw refusal(
      attributes,
      `violates PodSecurity ${JSON.stringify(levelText(policy.enforce))}: ${detailsOf(violations)}`,
    )
  warnOf(attributes, policy, pod.metadata ?? {}, pod.spec)
}

function warnOf(
  attributes: Attributes,
  { warn }: Policy,
  metadata: NonNullable<Frozen<Pod>['metadata']>,
  spec: Frozen<PodSpec>,
): void {
  const violations = violationsOf(warn, metadata, spec)
  if (violations.length > 0)
    attributes.warn(`would violate PodSecurity ${JSON.stringify(levelText(warn))}: ${detailsOf(violations)}`)
}

/** Updates that cannot change what a pod may do are let pass, so that a stricter policy does not keep pods from being finished. */
function isSignificant(spec: Frozen<PodSpec>, old: Frozen<PodSpec>): boolean {
  const images = ({ containers, initContainers }: Frozen<PodSpec>) =>
    [...(containers ?? []), ...(initContainers ?? [])].map(({ image }) => image)
  return !equal(images(spec), images(old)) || !equal(spec.ephemeralContainers, old.ephemeralContainers)
}

function templateOf({ object }: Attributes): Frozen<PodTemplateSpec> | undefined {
  const owner = object as {
    template?: PodTemplateSpec
    spec?: { template?: PodTemplateSpec; jobTemplate?: { spec?: { template?: PodTemplateSpec } } }
  }
  return (owner.spec?.jobTemplate?.spec?.template ?? owner.spec?.template ?? owner.template) as
    | Frozen<PodTemplateSpec>
    | undefined
}

function checkNamespace(attributes: Attributes, lookup: Lookup): void {
  const namespace = attributes.object as Namespace
  const old = attributes.old as Frozen<Namespace> | undefined
  const errors = new FieldErrors()
  const { enforce } = policyOf(namespace.metadata?.labels, errors)
  const oldErrors = new FieldErrors()
  const before = old && policyOf(old.metadata?.labels, oldErrors)
  if (!errors.empty && !(old && !oldErrors.empty && equal(errors.list, oldErrors.list)))
    throw invalid('', 'Namespace', namespace.metadata?.name ?? '', errors)
  if (
    !before ||
    enforce.level === 'privileged' ||
    equal(enforce, before.enforce.level === enforce.level ? before.enforce : undefined)
  )
    return
  if (enforce.version === before.enforce.version && rank(enforce.level) <= rank(before.enforce.level)) return
  warnOfPods(attributes, lookup.list(pods, attributes.name), enforce)
}

/** How many pods are looked at when a namespace becomes stricter. */
const podsMax = 3000

function warnOfPods(attributes: Attributes, own: readonly Frozen<Pod>[], enforce: Policy['enforce']): void {
  const byReason = new Map<string, string[]>()
  for (const { metadata, spec } of own.slice(0, podsMax)) {
    const violations = spec ? violationsOf(enforce, metadata ?? {}, spec) : []
    if (violations.length === 0) continue
    const reason = violations.map((violation) => violation.reason).join(', ')
    byReason.set(reason, [...(byReason.get(reason) ?? []), metadata?.name ?? ''])
  }
  if (own.length > podsMax)
    attributes.warn(
      `new PodSecurity enforce level only checked against the first ${podsMax} of ${own.length} existing pods`,
    )
  if (byReason.size === 0) return
  attributes.warn(
    `existing pods in namespace ${JSON.stringify(attributes.name)} violate the new PodSecurity enforce level ${JSON.stringify(levelText(enforce))}`,
  )
  const lines = [...byReason].map(([reason, names]) => {
    const [first = ''] = names.sort()
    return `${first}${names.length === 1 ? '' : names.length === 2 ? ' (and 1 other pod)' : ` (and ${names.length - 1} other pods)`}: ${reason}`
  })
  for (const line of lines.sort()) attributes.warn(line)
}
