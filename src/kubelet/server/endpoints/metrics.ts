import { Metrics, type Labels } from '../../../base/metrics.ts'
import { prometheus, type Endpoint } from '../request.ts'
import { readUsage, type ContainerUsage, type PodUsage, type Usage } from './usage.ts'

interface Sample {
  readonly labels: Labels
  readonly value: number
  /** When it was measured; absent: not told. */
  readonly timeMs?: number
}

/** One family in Prometheus' text format; nothing without samples. */
function family(name: string, help: string, type: 'counter' | 'gauge', samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(({ labels, value, timeMs }) => {
    const inner = Object.entries(labels).map(
      ([label, text]) => `${label}="${text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))}"`,
    )
    return `${name}${inner.length > 0 ? `{${inner.join(',')}}` : ''} ${value}${timeMs === undefined ? '' : ` ${Math.round(timeMs)}`}`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
}

const podLabels = ({ pod }: PodUsage): Labels => ({
  namespace: pod.metadata.namespace ?? '',
  pod: pod.metadata.name ?? '',
})
const containerLabels = (pod: PodUsage, { name }: ContainerUsage): Labels => ({ container: name, ...podLabels(pod) })

/** A sample for each container that has the figure. */
const perContainer = ({ pods }: Usage, of: (container: ContainerUsage) => number | undefined): Sample[] =>
  pods.flatMap((pod) =>
    pod.containers.flatMap((container): Sample[] => {
      const value = of(container)
      return value === undefined ? [] : [{ labels: containerLabels(pod, container), value, timeMs: container.timeMs }]
    }),
  )

/** GET /metrics/resource: what metrics servers read. */
export const resourceMetrics: Endpoint = async ({ server }) => {
  let usage: Usage | undefined
  try {
    usage = await readUsage(server)
  } catch (error) {
    server.log.warn({ err: error }, 'the use of resources could not be read')
  }
  const failed = family(
    'resource_scrape_error',
    '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
    'gauge',
    [{ labels: {}, value: usage ? 0 : 1 }],
  )
  if (!usage) return prometheus(failed)
  const { node, pods, timeMs } = usage
  return prometheus(
    [
      family(
        'container_cpu_usage_seconds_total',
        '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
        'counter',
        perContainer(usage, ({ cpuNanos }) => seconds(cpuNanos)),
      ),
      family(
        'container_memory_working_set_bytes',
        '[STABLE] Current working set of the container in bytes',
        'gauge',
        perContainer(usage, ({ memory }) => memory?.workingSetBytes),
      ),
      family(
        'container_start_time_seconds',
        '[STABLE] Start time of the container since unix epoch in seconds',
        'gauge',
        perContainer(usage, ({ startMs }) => startMs / 1000).map(untimed),
      ),
      family(
        'node_cpu_usage_seconds_total',
        '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
        'counter',
        node ? [{ labels: {}, value: node.cpuNanos / 1e9, timeMs }] : [],
      ),
      family(
        'node_memory_working_set_bytes',
        '[STABLE] Current working set of the node in bytes',
        'gauge',
        node ? [{ labels: {}, value: node.workingSetBytes, timeMs }] : [],
      ),
      family(
        'pod_cpu_usage_seconds_total',
        '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
        'counter',
        pods.map((pod) => ({ labels: podLabels(pod), value: pod.cpuNanos / 1e9, timeMs })),
      ),
      family(
        'pod_memory_working_set_bytes',
        '[STABLE] Current working set of the pod in bytes',
        'gauge',
        pods.map((pod) => ({ labels: podLabels(pod), value: pod.workingSetBytes, timeMs })),
      ),
      failed,
    ].join(''),
  )
}

const seconds = (nanos: number | undefined): number | undefined => (nanos === undefined ? undefined : nanos / 1e9)
const untimed = ({ labels, value }: Sample): Sample => ({ labels, value })

/** GET /metrics/cadvisor: the figures of cAdvisor that dashboards use most. */
export const cadvisorMetrics: Endpoint = async ({ server }) => {
  const usage = await readUsage(server)
  const ids = (container: ContainerUsage, pod: PodUsage): Labels => {
    const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === container.name)
    return {
      container: container.name,
      id: `/kubepods/pod${pod.pod.metadata.uid}/${status?.containerID?.replace(/^.*:\/\//, '') ?? ''}`,
      image: status?.image ?? '',
      name: status?.containerID?.replace(/^.*:\/\//, '') ?? '',
      ...podLabels(pod),
    }
  }
  const all = (of: (container: ContainerUsage) => number | undefined, more: Labels = {}): Sample[] =>
    usage.pods.flatMap((pod) =>
      pod.containers.flatMap((container): Sample[] => {
        const value = of(container)
        return value === undefined
          ? []
          : [{ labels: { ...ids(container, pod), ...more }, value, timeMs: container.timeMs }]
      }),
    )
  const { node, machine, timeMs } = usage
  const root = (value: number | undefined, more: Labels = {}): Sample[] =>
    value === undefined
      ? []
      : [{ labels: { container: '', id: '/', image: '', name: '', namespace: '', pod: '', ...more }, value, timeMs }]
  return prometheus(
    [
      family('container_cpu_usage_seconds_total', 'Cumulative cpu time consumed in seconds.', 'counter', [
        ...root(seconds(node?.cpuNanos), { cpu: 'total' }),
        ...all(({ cpuNanos }) => seconds(cpuNanos), { cpu: 'total' }),
      ]),
      family(
        'container_memory_usage_bytes',
        'Current memory usage in bytes, including all memory regardless of when it was accessed',
        'gauge',
        [...root(node?.memoryBytes), ...all(({ memory }) => memory?.usageBytes)],
      ),
      family('container_memory_working_set_bytes', 'Current working set in bytes.', 'gauge', [
        ...root(node?.workingSetBytes),
        ...all(({ memory }) => memory?.workingSetBytes),
      ]),
      family('container_memory_rss', 'Size of RSS in bytes.', 'gauge', [
        ...root(node?.rssBytes),
        ...all(({ memory }) => memory?.rssBytes),
      ]),
      family(
        'container_fs_usage_bytes',
        'Number of bytes that are consumed by the container on this filesystem.',
        'gauge',
        all(({ rootfs }) => rootfs?.usedBytes),
      ),
      family(
        'container_start_time_seconds',
        'Start time of the container since unix epoch in seconds.',
        'gauge',
        all(({ startMs }) => startMs / 1000),
      ),
      family('machine_memory_bytes', 'Amount of memory installed on the machine.', 'gauge', [
        { labels: {}, value: machine.memoryCapacityBytes },
      ]),
    ].join(''),
  )
}

/** GET /metrics/probes: what probes found. */
export const probeMetrics: Endpoint = ({ server }) => {
  // Families of other parts of the process stand in the same text.
  const blocks = server.metrics.text().split(/^(?=# HELP )/m)
  return prometheus(blocks.filter((block) => block.startsWith('# HELP prober_')).join('') || new Metrics().text())
}
