/** CPU time and memory at one moment. */
export interface Sample {
  readonly timeMs: number
  readonly cpuSeconds: number
  readonly memoryBytes: number
}

/** What a kubelet's /metrics/resource said. Containers are kept by 'namespace/pod/container'. */
export interface NodeSamples {
  readonly node: Sample | undefined
  readonly containers: ReadonlyMap<string, Sample>
}

const line = /^(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads /metrics/resource. Lines that mean nothing to us are skipped; a container needs both figures. */
export function parseResourceMetrics(text: string, nowMs: number): NodeSamples {
  const found = new Map<string, { timeMs: number; cpuSeconds?: number; memoryBytes?: number }>()
  for (const each of text.split('\n')) {
    const [, name = '', labels = '', value = '', time] = line.exec(each) ?? []
    const figure = figures[name]
    if (!figure) continue
    const key = name.startsWith('node_') ? '' : keyOf(labels)
    const sample = found.get(key) ?? { timeMs: nowMs }
    sample[figure] = Number(value)
    if (time && figure === 'cpuSeconds') sample.timeMs = Number(time)
    found.set(key, sample)
  }
  const containers = new Map<string, Sample>()
  for (const [key, { timeMs, cpuSeconds, memoryBytes }] of found) {
    if (
      cpuSeconds !== undefined &&
      memoryBytes !== undefined &&
      Number.isFinite(cpuSeconds) &&
      Number.isFinite(memoryBytes)
    )
      containers.set(key, { timeMs, cpuSeconds, memoryBytes })
  }
  const node = containers.get('')
  containers.delete('')
  return { node, containers }
}

const figures: Readonly<Record<string, 'cpuSeconds' | 'memoryBytes'>> = {
  node_cpu_usage_seconds_total: 'cpuSeconds',
  node_memory_working_set_bytes: 'memoryBytes',
  container_cpu_usage_seconds_total: 'cpuSeconds',
  container_memory_working_set_bytes: 'memoryBytes',
}

function keyOf(labels: string): string {
  const values = new Map([...labels.matchAll(label)].map(([, name, value]) => [name, value]))
  return `${values.get('namespace')}/${values.get('pod')}/${values.get('container')}`
}

/** What was used between two samples. */
export interface UsedBetween {
  readonly cpu: string
  readonly memory: string
  readonly timeMs: number
  readonly windowMs: number
}

/** Undefined when it cannot be said: the second is not later, or of a container that was started anew. */
export function usedBetween(before: Sample | undefined, after: Sample): UsedBetween | undefined {
  if (!before || after.timeMs <= before.timeMs || after.cpuSeconds < before.cpuSeconds) return undefined
  const windowMs = after.timeMs - before.timeMs
  const nanocores = Math.round(((after.cpuSeconds - before.cpuSeconds) / windowMs) * 1e12)
  return { cpu: `${nanocores}n`, memory: `${Math.round(after.memoryBytes / 1024)}Ki`, timeMs: after.timeMs, windowMs }
}
