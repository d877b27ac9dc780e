import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from './metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'

test('a process tells of its time, its memory and its start', () => {
  const metrics = new Metrics()
  addProcessMetrics(metrics)
  const values = Object.fromEntries(
    metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('process_'))
      .map((line) => line.split(' ') as [string, string]),
  )
  assert.ok(Number(values['process_cpu_seconds_total']) > 0)
  assert.ok(Number(values['process_resident_memory_bytes']) > 10_000_000)
  assert.ok(Math.abs(Number(values['process_start_time_seconds']) * 1000 - performance.timeOrigin) < 1)
})
