import type { PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement } from '../../api/generated/types/batch-v1.ts'
import type { ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nameOf, namespaceOf } from '../../client/object.ts'

/** What a failed pod means for its Job. */
export interface FailureVerdict {
  readonly action: 'Count' | 'Ignore' | 'FailIndex' | 'FailJob' | undefined
  /** Why the Job fails. */
  readonly message?: string
}

/** The first rule of the policy that the pod's failure fits; without one the failure counts. */
export function judgeFailure(policy: Frozen<PodFailurePolicy> | undefined, pod: Frozen<Pod>): FailureVerdict {
  for (const [index, { action, onExitCodes, onPodConditions }] of (policy?.rules ?? []).entries()) {
    const why = onExitCodes ? exitText(onExitCodes, pod) : conditionText(onPodConditions ?? [], pod)
    if (why === undefined) continue
    if (action === 'FailJob') return { action, message: `${why} matching ${action} rule at index ${index}` }
    if (action === 'Ignore' || action === 'FailIndex' || action === 'Count') return { action }
  }
  return { action: undefined }
}

function exitText(requirement: Frozen<PodFailurePolicyOnExitCodesRequirement>, pod: Frozen<Pod>): string | undefined {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const found = all.find((container) => fitsExit(requirement, container))
  return (
    found &&
    `Container ${found.name} for pod ${namespaceOf(pod)}/${nameOf(pod)} failed with exit code ${found.state?.terminated?.exitCode}`
  )
}

function fitsExit(
  { containerName, operator, values }: Frozen<PodFailurePolicyOnExitCodesRequirement>,
  { name, state }: Frozen<ContainerStatus>,
): boolean {
  const exitCode = state?.terminated?.exitCode
  if (exitCode === undefined || exitCode === 0 || (containerName !== undefined && containerName !== name)) return false
  return operator === 'In' ? values.includes(exitCode) : operator === 'NotIn' && !values.includes(exitCode)
}

function conditionText(
  patterns: readonly { readonly type: string; readonly status?: string }[],
  pod: Frozen<Pod>,
): string | undefined {
  const found = pod.status?.conditions?.find(({ type, status }) =>
    patterns.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status),
  )
  return found && `Pod ${namespaceOf(pod)}/${nameOf(pod)} has condition ${found.type}`
}
