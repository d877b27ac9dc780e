import { nodes, pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Kind } from '../../api/kind.ts'
import type { Frozen } from '../../api/resource.ts'
import type { KindTable } from '../../api/table.ts'
import { madeAnswer } from '../answer/made-answer.ts'
import type { Lookup } from '../registry/registry.ts'
import { timeText } from '../../api/schema/times.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'
import { nodeMetricsKind, podMetricsKind, type NodeMetrics, type PodMetrics, type Used } from './metrics-kinds.ts'
import { usedBetween, type UsedBetween } from './resource-samples.ts'
import { Scraper, type NodeReadings, type ScraperParts } from './scraper.ts'

/** Serves metrics.k8s.io, as metrics-server does: `kubectl top`, autoscalers. */
export interface MetricsApi {
  /** Handlers of its kinds, by 'plural.group/*'. */
  readonly handlers: readonly (readonly [string, SubresourceHandler])[]
  close(): void
}

/** Adds its kinds to the table; their objects are made from kubelets' figures when they are asked for. */
export function startMetricsApi(parts: ScraperParts & { readonly kinds: KindTable }): MetricsApi {
  const { kinds, lookup, clock } = parts
  const scraper = new Scraper(parts)
  kinds.add(nodeMetricsKind)
  kinds.add(podMetricsKind)
  const nodeMetrics = async () => nodeObjects(lookup, await scraper.readings(), clock.now())
  const podMetrics = async () => podObjects(lookup, await scraper.readings(), clock.now())
  return {
    handlers: [
      [
        `nodes.${nodeMetricsKind.resource.group}/*`,
        async (_core, request) => madeAnswer(request, await nodeMetrics(), 'nodemetrics'),
      ],
      [
        `pods.${podMetricsKind.resource.group}/*`,
        async (_core, request) => madeAnswer(request, await podMetrics(), 'podmetrics'),
      ],
    ],
    close: () => scraper.close(),
  }
}

type Labels = Readonly<Record<string, string>>

/** Window and time as they are written. */
const measured = ({ timeMs, windowMs }: UsedBetween) => ({
  timestamp: timeText(timeMs),
  window: `${Number((windowMs / 1000).toFixed(3))}s`,
})
const used = ({ cpu, memory }: UsedBetween): Used => ({ cpu, memory })

function nodeObjects(lookup: Lookup, readings: ReadonlyMap<string, NodeReadings>, nowMs: number): NodeMetrics[] {
  return lookup.list(nodes).flatMap(({ metadata: { name = '', labels } }): NodeMetrics[] => {
    const { before, after } = readings.get(name) ?? {}
    const usage = after?.node && usedBetween(before?.node, after.node)
    return usage
      ? [{ ...headOf(nodeMetricsKind, { name, labels }, nowMs), ...measured(usage), usage: used(usage) }]
      : []
  })
}

const podObjects = (lookup: Lookup, readings: ReadonlyMap<string, NodeReadings>, nowMs: number): PodMetrics[] =>
  lookup.list(pods).flatMap((pod) => podObject(pod, readings.get(pod.spec?.nodeName ?? ''), nowMs) ?? [])

/** What a Pod uses, if that can be said: of all its containers that run, or its sum would be wrong. */
export function podObject(
  { metadata: { name = '', namespace = '', labels }, spec, status }: Frozen<Pod>,
  readings: NodeReadings | undefined,
  nowMs: number,
): PodMetrics | undefined {
  if (!readings?.after || status?.phase !== 'Running') return undefined
  const { before, after } = readings
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const found = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => {
    const key = `${namespace}/${name}/${container.name}`
    const sample = after.containers.get(key)
    // One that does not run uses nothing.
    if (!sample) return []
    const usage = usedBetween(before?.containers.get(key), sample)
    return [usage && { name: container.name, usage }]
  })
  const containers = found.filter((container) => container !== undefined)
  if (containers.length === 0 || containers.length < found.length) return undefined
  return {
    ...headOf(podMetricsKind, { name, namespace, labels }, nowMs),
    ...measured(containers[0]!.usage),
    containers: containers.map((each) => ({ name: each.name, usage: used(each.usage) })),
  }
}

function headOf(
  { resource }: Kind,
  metadata: { name: string; namespace?: string; labels: Labels | undefined },
  nowMs: number,
) {
  const { labels, ...rest } = metadata
  return {
    kind: resource.kind,
    apiVersion: `${resource.group}/${resource.version}`,
    metadata: { ...rest, creationTimestamp: timeText(nowMs), ...(labels && { labels: { ...labels } }) },
  }
}
