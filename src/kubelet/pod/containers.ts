import type { Container, EphemeralContainer, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** A container of a pod, whichever list it stands in. */
export type AnyContainer = Frozen<Container>

/** An init container that goes on running beside the pod's own (a sidecar). */
export const isRestartable = (container: AnyContainer): boolean => container.restartPolicy === 'Always'

/** Ephemeral containers have what containers have, but for what they may not set. */
export const asContainer = (container: Frozen<EphemeralContainer>): AnyContainer => container as AnyContainer

/** Every container of the spec: init, regular, ephemeral. */
export const allContainers = (pod: Frozen<Pod>): AnyContainer[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
  ...(pod.spec?.ephemeralContainers ?? []).map(asContainer),
]

/** The spec of the container of that name. */
export const containerSpec = (pod: Frozen<Pod>, name: string): AnyContainer | undefined =>
  allContainers(pod).find((container) => container.name === name)

/** Where events about the container point to, as upstream: `spec.containers{web}`. */
export function containerFieldPath(pod: Frozen<Pod>, name: string): string {
  const within = (list: string, containers: readonly { readonly name: string }[] | undefined) =>
    containers?.some((container) => container.name === name) && `spec.${list}{${name}}`
  return (
    within('containers', pod.spec?.containers) ||
    within('initContainers', pod.spec?.initContainers) ||
    within('ephemeralContainers', pod.spec?.ephemeralContainers) ||
    ''
  )
}

/** `web_default(8a…)`: how upstream's messages name a pod. */
export const podText = (pod: Frozen<Pod>): string =>
  `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`

/** Whether the pod asks to be restarted at all when a container fails. */
export const restartsOnFailure = (pod: Frozen<Pod>): boolean => pod.spec?.restartPolicy !== 'Never'

/** Whether a container that ended with `exitCode` is started again: its own rules first, then its own policy, then the pod's. */
export function restartsAfter(pod: Frozen<Pod>, container: AnyContainer, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    if (ruleMatches(rule.exitCodes, exitCode))
      return rule.action === 'Restart' || rule.action === 'RestartAllContainers'
  }
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

function ruleMatches(
  codes: { readonly operator?: string; readonly values?: readonly number[] } | undefined,
  exitCode: number,
): boolean {
  if (!codes) return false
  const listed = codes.values?.includes(exitCode) ?? false
  return codes.operator === 'NotIn' ? !listed : listed
}

/** The pod is on the host's network. */
export const isHostNetwork = (pod: Frozen<Pod>): boolean => pod.spec?.hostNetwork === true

/** It came from a file or another source on the node, not from the API server. */
export const isStaticPod = (pod: Frozen<Pod>): boolean => {
  const source = pod.metadata.annotations?.['kubernetes.io/config.source']
  return source !== undefined && source !== 'api'
}

/** It is the API server's picture of a static pod. */
export const isMirrorPod = (pod: Frozen<Pod>): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

/** The priority from which on nothing on a node may evict or preempt a pod. */
const systemCriticalPriority = 2_000_000_000

/** Static, mirror and system-critical pods are not evicted. */
export const isCritical = (pod: Frozen<Pod>): boolean =>
  isStaticPod(pod) || isMirrorPod(pod) || (pod.spec?.priority ?? 0) >= systemCriticalPriority

/** Done for good, as the API server has it. */
export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
