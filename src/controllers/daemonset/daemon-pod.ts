import { daemonSets } from '../../api/generated/resources.ts'
import type { DaemonSet } from '../../api/generated/types/apps-v1.ts'
import type { Affinity, Node, NodeSelectorTerm, Pod, Toleration } from '../../api/generated/types/core-v1.ts'
import { tolerates } from '../../api/core/taints.ts'
import type { Frozen } from '../../api/resource.ts'
import { allowsNode } from '../../api/selector/node.ts'
import { annotationsOf, nameOf } from '../../client/object.ts'
import { podFromTemplate } from '../framework/pod.ts'
import { revisionHashLabel } from '../history/revisions.ts'

/** What daemons put up with, so that they run on nodes that are in trouble. */
const daemonTolerations: readonly Frozen<Toleration>[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]
const hostNetworkToleration: Frozen<Toleration> = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
}

const generationAnnotation = 'deprecated.daemonset.template.generation'
const generationLabel = 'pod-template-generation'

/** A daemon's pod for one node: the scheduler binds it, to that node only. */
export function daemonPod(ds: Frozen<DaemonSet>, nodeName: string, hash: string): Frozen<Pod> {
  const pod = podFromTemplate(daemonSets, ds, ds.spec?.template ?? {})
  const generation = annotationsOf(ds)[generationAnnotation]
  const labels = {
    ...pod.metadata.labels,
    [revisionHashLabel]: hash,
    ...(generation !== undefined && { [generationLabel]: generation }),
  }
  const spec = pod.spec ?? { containers: [] }
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: { ...spec, affinity: pinned(spec.affinity, nodeName), tolerations: tolerationsOf(ds) },
  }
}

/** Whether the pod is of the current template. */
export function isUpdated(pod: Frozen<Pod>, ds: Frozen<DaemonSet>, hash: string): boolean {
  const generation = annotationsOf(ds)[generationAnnotation]
  const labels = pod.metadata.labels ?? {}
  return (
    (generation !== undefined && labels[generationLabel] === generation) ||
    (hash !== '' && labels[revisionHashLabel] === hash)
  )
}

/** The node that the pod is bound to, or will be. */
export function nodeOf(pod: Frozen<Pod>): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms)
    for (const { key, operator, values } of matchFields)
      if (key === 'metadata.name' && operator === 'In' && values?.length === 1) return values[0] ?? ''
  return ''
}

/** Whether a daemon should be started on the node, and whether one that runs there may stay. */
export function placement(
  ds: Frozen<DaemonSet>,
  node: Frozen<Node>,
): { readonly run: boolean; readonly stay: boolean } {
  const spec = ds.spec?.template.spec
  if (!spec || (spec.nodeName && spec.nodeName !== nameOf(node)) || !allowsNode(spec, node))
    return { run: false, stay: false }
  const tolerations = tolerationsOf(ds)
  const repelling = (node.spec?.taints ?? []).filter(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  )
  return { run: repelling.length === 0, stay: !repelling.some(({ effect }) => effect === 'NoExecute') }
}

function tolerationsOf(ds: Frozen<DaemonSet>): Frozen<Toleration>[] {
  const spec = ds.spec?.template.spec
  const own = spec?.tolerations ?? []
  const added = spec?.hostNetwork ? [...daemonTolerations, hostNetworkToleration] : daemonTolerations
  // Its own of the same key, effect and operator give way.
  const kept = own.filter(
    (toleration) =>
      !added.some(
        ({ key, effect, operator, value }) =>
          key === toleration.key &&
          effect === toleration.effect &&
          operator === toleration.operator &&
          (value ?? '') === (toleration.value ?? ''),
      ),
  )
  return [...kept, ...added]
}

/** The affinity with the node's name in place of what it requires. */
function pinned(affinity: Frozen<Affinity> | undefined, nodeName: string): Frozen<Affinity> {
  const term: Frozen<NodeSelectorTerm> = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  }
}
