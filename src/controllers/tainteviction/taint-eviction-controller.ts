import { nodes, pods } from '../../api/generated/resources.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { defineController, done, requeueAfter, watch, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { deletePod, markDisrupted } from '../framework/pod-eviction.ts'
import { indexPodsByNode, podsOnNode } from '../framework/pods-on-node.ts'
import { toleratedMs } from './tolerated.ts'

interface Marked {
  readonly uid: string
  /** Since when the pod is under taints that it does not bear for ever. */
  readonly sinceMs: number
}

/** By key of the pod. */
type Memory = Map<string, Marked>

const noExecute = (node: Frozen<Node> | undefined) =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')

/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or tolerate no longer. */
export const taintEvictionController = defineController<Pod, Memory>({
  name: 'taint-eviction-controller',
  reconciles: pods,
  matters: (pod, old) =>
    pod.spec?.nodeName !== old.spec?.nodeName || !same(pod.spec?.tolerations, old.spec?.tolerations),
  watches: [
    watch(
      nodes,
      (node, { informers }) =>
        podsOnNode(informers.of(pods), nameOf(node)).map((pod) => `${namespaceOf(pod)}/${nameOf(pod)}`),
      (node, old) => !same(noExecute(node), noExecute(old)),
    ),
  ],
  events: ['TaintManagerEviction'],
  parallel: 8,
  memory: () => new Map(),
  setup: (c) => indexPodsByNode(c.of(pods)),
  reconcile,
  gone: (key, c) => void c.memory.delete(key),
})

async function reconcile(pod: Frozen<Pod>, c: Context<Pod, Memory>): Promise<Outcome> {
  const key = `${namespaceOf(pod)}/${nameOf(pod)}`
  const taints = noExecute(pod.spec?.nodeName ? c.of(nodes).get({ name: pod.spec.nodeName }) : undefined)
  const mayStayMs = taints.length === 0 ? Infinity : toleratedMs(taints, pod.spec?.tolerations ?? [])
  const known = c.memory.get(key)
  const mark = known?.uid === uidOf(pod) ? known : undefined
  if (mayStayMs === Infinity || isBeingDeleted(pod)) {
    if (mark && c.memory.delete(key) && !isBeingDeleted(pod))
      c.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
    return done
  }
  const { sinceMs } = mark ?? { sinceMs: c.clock.now() }
  c.memory.set(key, { uid: uidOf(pod), sinceMs })
  const leftMs = sinceMs + mayStayMs - c.clock.now()
  if (leftMs > 0) return requeueAfter(leftMs)
  c.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
  await markDisrupted(
    c.client,
    pod,
    { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' },
    { nowMs: c.clock.now() },
  )
  await deletePod(c.client, pod)
  c.metrics
    .histogram(
      'taint_eviction_controller_pod_deletion_duration_seconds',
      'Latency, in seconds, between the time when a taint effect has been activated for the Pod and its deletion via TaintEvictionController.',
      [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
    )
    .observe((c.clock.now() - sinceMs - mayStayMs) / 1000)
  c.metrics
    .counter(
      'taint_eviction_controller_pod_deletions_total',
      'Total number of Pods deleted by TaintEvictionController since its start.',
    )
    .add()
  return done
}
