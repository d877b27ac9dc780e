import type { NodeInfo } from '../cache/node-info.ts'
import type { Rejection } from '../framework.ts'

/** '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.' – in upstream's words and order. */
export function failureText(
  nodes: number,
  rejections: ReadonlyMap<NodeInfo, Rejection>,
  everywhere: Rejection | undefined,
  preemption: string,
): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  // Upstream's plugin for claimed devices runs before preemption and has no state when a Pod was rejected everywhere at once: it answers "not found".
  if (everywhere) return `0/${nodes} nodes are available: ${everywhere.reasons.join(', ')}. not found`
  const reasons = counted([...rejections.values()].flatMap((r) => r.reasons))
  return `0/${nodes} nodes are available: ${reasons.join(', ')}.${preemption && ` no new claims to deallocate, preemption: ${preemption}`}`
}

/** Equal reasons with their number in front, sorted. */
export function counted(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
}
