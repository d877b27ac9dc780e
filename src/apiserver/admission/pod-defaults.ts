import { nodes, pods, priorityClasses, runtimeClasses } from '../../api/generated/resources.ts'
import type { Node, Pod, Toleration } from '../../api/generated/types/core-v1.ts'
import type { PriorityClass } from '../../api/generated/types/scheduling-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'

const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'
/** How long a pod stays on a node that is not well, unless it says otherwise. */
const tolerationSeconds = 300

/** Pods tolerate nodes that are not ready or cannot be reached, for five minutes. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (operation, kind, subresource) =>
    isResource(kind, pods) && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  admit({ object }) {
    const spec = (object as Pod).spec!
    for (const key of [notReady, unreachable]) {
      const tolerated = spec.tolerations?.some(
        (toleration) =>
          (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect),
      )
      if (!tolerated)
        (spec.tolerations ??= []).push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds })
    }
  },
}

/** New nodes are not ready until their kubelet and the node controller say so. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (operation, kind, subresource) => operation === 'CREATE' && isResource(kind, nodes) && subresource === '',
  admit({ object }) {
    const spec = ((object as Node).spec ??= {})
    if (!spec.taints?.some(({ key, effect }) => key === notReady && effect === 'NoSchedule'))
      (spec.taints ??= []).push({ key: notReady, effect: 'NoSchedule' })
  },
}

/** Pods get the priority of their class. */
export function priorityPlugin(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: (operation, kind, subresource) =>
      subresource === '' &&
      ((isResource(kind, pods) && (operation === 'CREATE' || operation === 'UPDATE')) ||
        (isResource(kind, priorityClasses) && operation !== 'CONNECT')),
    admit(attributes) {
      if (!isResource(attributes.kind, pods)) return
      const spec = (attributes.object as Pod).spec!
      if (attributes.operation === 'UPDATE') {
        const old = (attributes.old as Frozen<Pod>).spec
        // What clients leave out on updates stays.
        if (
          spec.priority === undefined &&
          old?.priority !== undefined &&
          spec.priorityClassName === old.priorityClassName
        )
          spec.priority = old.priority
        if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined)
          spec.preemptionPolicy = old.preemptionPolicy
        return
      }
      const found = classOf(attributes, spec.priorityClassName ?? '', lookup)
      if (spec.priority !== undefined && spec.priority !== found.value)
        throw refusal(
          attributes,
          `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${found.value} from the given PriorityClass name`,
        )
      if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== found.preemptionPolicy) {
        throw refusal(
          attributes,
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${found.preemptionPolicy} from the given PriorityClass name`,
        )
      }
      if (found.name) spec.priorityClassName = found.name
      spec.priority = found.value
      spec.preemptionPolicy = found.preemptionPolicy
    },
    validate(attributes) {
      if (!isResource(attributes.kind, priorityClasses)) return
      if (attributes.operation === 'DELETE') {
        if (systemClasses.has(attributes.name))
          throw refusal(attributes, 'this is a system priority class and cannot be deleted')
        return
      }
      const own = attributes.object as PriorityClass
      if (!own.globalDefault) return
      const other = lookup
        .list(priorityClasses)
        .find((each) => each.globalDefault && each.metadata?.name !== own.metadata?.name)
      if (other)
        throw refusal(
          attributes,
          `PriorityClass ${other.metadata!.name} is already marked as default. Only one default can exist`,
        )
    },
  }
}

const systemClasses: ReadonlySet<string> = new Set(['system-node-critical', 'system-cluster-critical'])

function classOf(
  attributes: Attributes,
  name: string,
  lookup: Lookup,
): { name: string; value: number; preemptionPolicy: string } {
  if (name === '') {
    const defaults = lookup.list(priorityClasses).filter(({ globalDefault }) => globalDefault)
    const lowest = defaults.reduce<Frozen<PriorityClass> | undefined>(
      (least, each) => (!least || (each.value ?? 0) < (least.value ?? 0) ? each : least),
      undefined,
    )
    return {
      name: lowest?.metadata?.name ?? '',
      value: lowest?.value ?? 0,
      preemptionPolicy: lowest?.preemptionPolicy ?? 'PreemptLowerPriority',
    }
  }
  const found = lookup.get(priorityClasses, { name })
  if (!found) throw refusal(attributes, `no PriorityClass with name ${name} was found`)
  return { name, value: found.value ?? 0, preemptionPolicy: found.preemptionPolicy ?? 'PreemptLowerPriority' }
}

/** Pods of a runtime class pay for its sandbox, and run only where the class is there. */
export function runtimeClassPlugin(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    handles: (operation, kind, subresource) => operation === 'CREATE' && isResource(kind, pods) && subresource === '',
    admit(attributes) {
      const { spec } = attributes.object as Pod
      if (!spec?.runtimeClassName) return
      const found = lookup.get(runtimeClasses, { name: spec.runtimeClassName })
      if (!found)
        throw refusal(attributes, `pod rejected: RuntimeClass ${JSON.stringify(spec.runtimeClassName)} not found`)
      const overhead = found.overhead?.podFixed
      if (overhead) {
        if (!spec.overhead || Object.keys(spec.overhead).length === 0) spec.overhead = { ...overhead }
        else if (!equal(spec.overhead, overhead))
          throw refusal(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
      }
      const { nodeSelector, tolerations } = found.scheduling ?? {}
      for (const [key, value] of Object.entries(nodeSelector ?? {})) {
        const own = spec.nodeSelector?.[key]
        if (own !== undefined && own !== value)
          throw refusal(
            attributes,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
          )
        ;(spec.nodeSelector ??= {})[key] = value
      }
      for (const toleration of tolerations ?? [])
        if (!spec.tolerations?.some((own) => equal(own, toleration)))
          (spec.tolerations ??= []).push({ ...toleration } as Toleration)
    },
    validate(attributes) {
      const { spec } = attributes.object as Pod
      const found = spec?.runtimeClassName ? lookup.get(runtimeClasses, { name: spec.runtimeClassName }) : undefined
      if (spec?.runtimeClassName && !found)
        throw refusal(attributes, `pod rejected: RuntimeClass ${JSON.stringify(spec.runtimeClassName)} not found`)
      if (spec?.overhead && !found?.overhead?.podFixed && Object.keys(spec.overhead).length > 0)
        throw refusal(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    },
  }
}

/** A pod that is bound to a node takes over the labels of where the node is. */
export function podTopologyLabels(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: (operation, kind, subresource) =>
      operation === 'CREATE' &&
      ((isResource(kind, pods) && (subresource === 'binding' || subresource === '')) ||
        (kind.resource.plural === 'bindings' && kind.resource.group === '')),
    admit({ kind, subresource, object }) {
      const target =
        isResource(kind, pods) && subresource === ''
          ? (object as Pod).spec?.nodeName
          : (object as { target?: { name?: string } }).target?.name
      const labels = target ? lookup.get(nodes, { name: target })?.metadata?.labels : undefined
      for (const key of ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']) {
        const value = labels?.[key]
        if (value !== undefined) (object!.metadata.labels ??= {})[key] = value
      }
    },
  }
}
