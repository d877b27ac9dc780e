import assert from 'node:assert/strict'
import test from 'node:test'
import { podObject } from './metrics-api.ts'
import { parseResourceMetrics, usedBetween } from './resource-samples.ts'

const text = (cpu: number, timeMs: number) => `# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total ${cpu * 2} ${timeMs}
node_memory_working_set_bytes 2.097152e+06 ${timeMs}
container_cpu_usage_seconds_total{container="main",namespace="default",pod="web"} ${cpu} ${timeMs}
container_memory_working_set_bytes{container="main",namespace="default",pod="web"} 1048576 ${timeMs}
container_cpu_usage_seconds_total{container="half",namespace="default",pod="web"} 1 ${timeMs}
resource_scrape_error 0
`

test('samples are read off a kubelet’s text, and a container without memory is none', () => {
  const { node, containers } = parseResourceMetrics(text(1.5, 1000), 0)
  assert.deepEqual(node, { timeMs: 1000, cpuSeconds: 3, memoryBytes: 2_097_152 })
  assert.deepEqual([...containers], [['default/web/main', { timeMs: 1000, cpuSeconds: 1.5, memoryBytes: 1_048_576 }]])
})

test('use is CPU time over the time between two samples, in nanocores, and the newest memory', () => {
  const [before, after] = [parseResourceMetrics(text(1, 0), 0), parseResourceMetrics(text(1.3, 15_000), 0)]
  assert.deepEqual(usedBetween(before.containers.get('default/web/main'), after.containers.get('default/web/main')!), {
    cpu: '20000000n',
    memory: '1024Ki',
    timeMs: 15_000,
    windowMs: 15_000,
  })
})

test('nothing is said of a container that was started anew, or was sampled once', () => {
  const sample = { timeMs: 10, cpuSeconds: 5, memoryBytes: 1 }
  assert.equal(usedBetween(undefined, sample), undefined)
  assert.equal(usedBetween(sample, sample), undefined)
  assert.equal(usedBetween(sample, { timeMs: 20, cpuSeconds: 1, memoryBytes: 1 }), undefined)
})

test('a Pod is told of by its containers that run, when all of those are known', () => {
  const pod = {
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'main' }, { name: 'crashed' }] },
    status: { phase: 'Running' },
  }
  const [before, after] = [parseResourceMetrics(text(1, 0), 0), parseResourceMetrics(text(1.3, 15_000), 0)]
  assert.deepEqual(podObject(pod, { before, after }, 0)?.containers, [
    { name: 'main', usage: { cpu: '20000000n', memory: '1024Ki' } },
  ])
  // The second one has just been started: its use is not known yet.
  const started = new Map([...after.containers, ['default/web/crashed', after.containers.get('default/web/main')!]])
  assert.equal(podObject(pod, { before, after: { ...after, containers: started } }, 0), undefined)
  assert.equal(podObject(pod, undefined, 0), undefined)
})
