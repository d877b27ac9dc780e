import { persistentVolumeClaims, pods } from '../generated/resources.ts'
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from '../generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../resource.ts'
import { sameResource } from '../resource.ts'

/** Whether an object is of those that a quota is about. */
export function isInScope(
  kind: { readonly resource: Resource },
  object: Frozen<KubernetesObject>,
  { spec }: Frozen<ResourceQuota>,
): boolean {
  const requirements: Frozen<ScopedResourceSelectorRequirement>[] = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ]
  return requirements.every((requirement) => holds(kind, object, requirement))
}

function holds(
  kind: { readonly resource: Resource },
  object: Frozen<KubernetesObject>,
  requirement: Frozen<ScopedResourceSelectorRequirement>,
): boolean {
  if (sameResource(kind.resource, pods)) return podHolds(object as Frozen<Pod>, requirement)
  if (sameResource(kind.resource, persistentVolumeClaims) && requirement.scopeName === 'VolumeAttributesClass')
    return among((object as Frozen<PersistentVolumeClaim>).spec?.volumeAttributesClassName ?? '', requirement)
  return false
}

function podHolds(pod: Frozen<Pod>, requirement: Frozen<ScopedResourceSelectorRequirement>): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return isTerminating(pod)
    case 'NotTerminating':
      return !isTerminating(pod)
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass':
      return among(pod.spec?.priorityClassName ?? '', requirement)
    case 'CrossNamespacePodAffinity':
      return looksAcross(pod)
    default:
      return false
  }
}

function among(value: string, { operator, values }: Frozen<ScopedResourceSelectorRequirement>): boolean {
  switch (operator) {
    case 'Exists':
      return value !== ''
    case 'DoesNotExist':
      return value === ''
    case 'NotIn':
      return !values?.includes(value)
    default:
      return values?.includes(value) ?? false
  }
}

/** It ends by itself. */
export const isTerminating = ({ spec }: Frozen<Pod>): boolean =>
  spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0

const isBestEffort = ({ spec, status }: Frozen<Pod>): boolean => {
  if (status?.qosClass) return status.qosClass === 'BestEffort'
  const set = (list: Readonly<Record<string, string>> | undefined) =>
    Object.keys(list ?? {}).some((name) => name === 'cpu' || name === 'memory')
  return ![...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(
    ({ resources }) => set(resources?.requests) || set(resources?.limits),
  )
}

function looksAcross({ spec }: Frozen<Pod>): boolean {
  const across = (term: Frozen<PodAffinityTerm>) =>
    (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some(
    (rules) =>
      rules?.requiredDuringSchedulingIgnoredDuringExecution?.some(across) ||
      rules?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) => across(podAffinityTerm)),
  )
}
