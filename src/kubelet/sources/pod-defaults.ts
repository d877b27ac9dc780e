import { podDefinition } from '../../api/core/pod.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'

/** A pod with the API's defaults filled in, as the API server would: for pods that never were there. */
export function defaultPod(pod: Pod): Pod {
  const draft = structuredClone(pod)
  // The table's definitions lose their type; this one is of pods.
  const defaults = podDefinition.behaviour.defaults as ((object: Pod) => void) | undefined
  defaults?.(draft)
  return draft
}
