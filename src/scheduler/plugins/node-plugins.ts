/** The plugins that look at one node's own fields: its name, marks, taints, labels, ports. */
import { tolerates, untolerated } from '../../api/core/taints.ts'
import type { Frozen } from '../../api/resource.ts'
import { allowsNode, matchesNodeTerm } from '../../api/selector/node.ts'
import type { Node, PreferredSchedulingTerm, Toleration } from '../../api/generated/types/core-v1.ts'
import { definePlugin, scaleToMax, skip, unresolvable, unschedulable } from '../framework.ts'

/** Holds a Pod back while it has scheduling gates. */
export const schedulingGates = definePlugin({
  name: 'SchedulingGates',
  events: [],
  preEnqueue(pod) {
    const gates = pod.spec?.schedulingGates ?? []
    return gates.length === 0
      ? undefined
      : unresolvable(`waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`)
  },
})

/** A Pod that names its node goes nowhere else. */
export const nodeName = definePlugin({
  name: 'NodeName',
  nodeLocal: true,
  events: [{ on: 'Node/Add' }],
  preFilter: ({ pod }) => pod.spec?.nodeName || skip,
  filter: (name: string, node) =>
    node.name === name ? undefined : unresolvable("node(s) didn't match the requested node name"),
})

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Cordoned nodes take only Pods that tolerate it. */
export const nodeUnschedulable = definePlugin({
  name: 'NodeUnschedulable',
  nodeLocal: true,
  events: [{ on: 'Node/Add' }, { on: 'Node/Update' }],
  filter: (_: undefined, { node }, { pod }) =>
    !node.spec?.unschedulable || pod.spec?.tolerations?.some((toleration) => tolerates(toleration, unschedulableTaint))
      ? undefined
      : unresolvable('node(s) were unschedulable'),
})

/** Taints that keep a Pod away, and those that only make a node less liked. */
export const taintToleration = definePlugin<undefined, readonly Frozen<Toleration>[]>({
  name: 'TaintToleration',
  nodeLocal: true,
  events: [{ on: 'Node/Add' }, { on: 'Node/Update' }],
  filter(_, { node }, { pod }) {
    const taint = untolerated(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute'])
    return taint && unresolvable(`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`)
  },
  preScore: ({ pod }) => (pod.spec?.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule'),
  score(tolerations, { node }) {
    let bad = 0
    for (const taint of node.spec?.taints ?? [])
      if (taint.effect === 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, taint))) bad++
    return bad
  },
  normalize: (scores) => scaleToMax(scores, true),
})

/** nodeSelector and node affinity. */
export const nodeAffinity = definePlugin<true, readonly Frozen<PreferredSchedulingTerm>[]>({
  name: 'NodeAffinity',
  nodeLocal: true,
  events: [
    { on: 'Node/Add' },
    { on: 'Node/Update', hint: (rejected, node) => allowsNode(rejected.pod.spec, node as Frozen<Node>) },
  ],
  preFilter: ({ pod: { spec } }) =>
    spec?.nodeSelector || spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution ? true : skip,
  filter: (_, { node }, { pod }) =>
    allowsNode(pod.spec, node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector"),
  preScore: ({ pod }) => {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return preferred.length ? preferred : skip
  },
  score: (preferred, { node }) =>
    preferred.reduce((sum, { weight, preference }) => sum + (matchesNodeTerm(preference, node) ? weight : 0), 0),
  normalize: (scores) => scaleToMax(scores),
})

/** Ports of the node that the Pod takes must be free. */
export const nodePorts = definePlugin<true, undefined>({
  name: 'NodePorts',
  nodeLocal: true,
  events: [{ on: 'Node/Add' }, { on: 'AssignedPod/Delete' }],
  preFilter: (pod) => (pod.hostPorts.length ? true : skip),
  filter: (_, node, pod) =>
    pod.hostPorts.some((port) => node.hasPort(port))
      ? unschedulable("node(s) didn't have free ports for the requested pod ports")
      : undefined,
})
