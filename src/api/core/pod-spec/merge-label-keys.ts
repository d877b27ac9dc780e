import type { PodSpec } from '../../generated/types/core-v1.ts'
import type { LabelSelector } from '../../generated/types/meta-v1.ts'

type Labels = Readonly<Record<string, string>>

/** Turns `matchLabelKeys` and `mismatchLabelKeys` into requirements on the values that this Pod has. */
export function mergeLabelKeys({ affinity, topologySpreadConstraints }: PodSpec, labels: Labels): void {
  for (const part of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const preferred =
      part?.preferredDuringSchedulingIgnoredDuringExecution?.map(({ podAffinityTerm }) => podAffinityTerm) ?? []
    for (const term of [...preferred, ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? [])]) {
      merge(term?.labelSelector, term?.matchLabelKeys, 'In', labels)
      merge(term?.labelSelector, term?.mismatchLabelKeys, 'NotIn', labels)
    }
  }
  for (const { labelSelector, matchLabelKeys } of topologySpreadConstraints ?? [])
    merge(labelSelector, matchLabelKeys, 'In', labels)
}

function merge(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: string,
  labels: Labels,
): void {
  if (!selector || !keys?.length) return
  for (const key of keys) {
    const value = labels[key]
    if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] })
  }
}
