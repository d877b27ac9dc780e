import { isConflict } from '../../api/errors/api-error.ts'
import { nodes } from '../../api/generated/resources.ts'
import type { Node, Taint } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { nameOf, timestamp } from '../../client/object.ts'
import { conditionOf } from '../framework/conditions.ts'

type FrozenTaint = Frozen<Taint>

/** Taints of nodes that are not heard of. */
export const notReadyTaint = 'node.kubernetes.io/not-ready'
export const unreachableTaint = 'node.kubernetes.io/unreachable'
const unschedulableTaint = 'node.kubernetes.io/unschedulable'

/** Which taint says that a condition has a status. */
const taintOfCondition: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}

const ownKeys = new Set([
  unschedulableTaint,
  ...Object.values(taintOfCondition).flatMap((taints) => Object.values(taints)),
])

/** The keys of the NoSchedule taints that the node's conditions, and being cordoned, ask for. */
export function noScheduleKeys(node: Frozen<Node>): string[] {
  const keys = Object.entries(taintOfCondition).flatMap(
    ([type, taints]) => taints[conditionOf(node.status?.conditions, type)?.status ?? ''] ?? [],
  )
  return node.spec?.unschedulable ? [...keys, unschedulableTaint] : keys
}

/** The node's taints with the right NoSchedule ones; undefined when they are right already. */
export function withNoScheduleTaints(node: Frozen<Node>, nowMs: number): FrozenTaint[] | undefined {
  const wanted = new Set(noScheduleKeys(node))
  const taints = node.spec?.taints ?? []
  const kept = taints.filter(({ key, effect }) => effect !== 'NoSchedule' || !ownKeys.has(key) || wanted.has(key))
  const added = [...wanted].filter((key) => !taints.some((taint) => taint.key === key && taint.effect === 'NoSchedule'))
  if (kept.length === taints.length && added.length === 0) return undefined
  return [...kept, ...added.map((key) => ({ key, effect: 'NoSchedule', timeAdded: timestamp(nowMs) }))]
}

/** The NoExecute taint that the node's readiness asks for. */
export function noExecuteKey(node: Frozen<Node>): string | undefined {
  return { False: notReadyTaint, Unknown: unreachableTaint }[
    conditionOf(node.status?.conditions, 'Ready')?.status ?? ''
  ]
}

/** Whether the node has this NoExecute taint. */
export const hasNoExecute = (node: Frozen<Node>, key: string): boolean =>
  (node.spec?.taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoExecute')

/** The node's taints with this NoExecute taint, or none, in place of those that tell of readiness; undefined when they are so already. */
export function withNoExecuteTaint(
  node: Frozen<Node>,
  key: string | undefined,
  nowMs: number,
): FrozenTaint[] | undefined {
  const taints = node.spec?.taints ?? []
  const kept = taints.filter(
    (taint) =>
      taint.effect !== 'NoExecute' || ![notReadyTaint, unreachableTaint].includes(taint.key) || taint.key === key,
  )
  const there = key === undefined || hasNoExecute(node, key)
  if (there && kept.length === taints.length) return undefined
  return there ? kept : [...kept, { key, effect: 'NoExecute', timeAdded: timestamp(nowMs) }]
}

/** How often a change is tried anew from what the server has by then. */
const attemptsMax = 5

/** Writes the taints that `change` makes of the node's, on the newest state where somebody else was faster. `change` gives undefined when they are right. */
export async function changeTaints(
  client: Client,
  node: Frozen<Node>,
  change: (node: Frozen<Node>) => readonly FrozenTaint[] | undefined,
): Promise<Frozen<Node>> {
  let current = node
  for (let attempt = 1; ; attempt++) {
    const taints = change(current)
    if (!taints) return current
    const patch = {
      metadata: { resourceVersion: current.metadata.resourceVersion },
      spec: { taints: taints.length > 0 ? taints : null },
    }
    try {
      return await client.patch(nodes, { name: nameOf(node) }, patch, { type: 'merge' })
    } catch (error) {
      if (!isConflict(error) || attempt >= attemptsMax) throw error
      current = await client.get(nodes, { name: nameOf(node) })
    }
  }
}
