import type { Node } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

const rolePrefix = 'node-role.kubernetes.io/'
const roleLabel = 'kubernetes.io/role'

/** What `kubectl get nodes` shows. */
export function nodeRow(node: Frozen<Node>, nowMs: number): Cell[] {
  const info = node.status?.nodeInfo
  return [
    name(node),
    statusCell(node),
    rolesOf(node).join(',') || '<none>',
    age(node, nowMs),
    info?.kubeletVersion ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    info?.osImage || '<unknown>',
    info?.kernelVersion || '<unknown>',
    info?.containerRuntimeVersion || '<unknown>',
  ]
}

function statusCell({ spec, status }: Frozen<Node>): string {
  const ready = status?.conditions?.findLast(({ type }) => type === 'Ready')
  const state = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable ? `${state},SchedulingDisabled` : state
}

function rolesOf({ metadata }: Frozen<Node>): string[] {
  const roles = Object.entries(metadata.labels ?? {}).map(([label, value]) =>
    label.startsWith(rolePrefix) ? label.slice(rolePrefix.length) : label === roleLabel ? value : '',
  )
  return [...new Set(roles.filter((role) => role !== ''))].sort()
}

const addressOf = ({ status }: Frozen<Node>, kind: string): string =>
  status?.addresses?.find(({ type }) => type === kind)?.address ?? '<none>'
