import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created } from '../kinds.test-support.ts'
import type { HorizontalPodAutoscaler } from '../generated/types/autoscaling-v2.ts'
import { autoscalerFromV1, autoscalerToV1 } from './conversion.ts'

const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
const stored = (spec: object): HorizontalPodAutoscaler =>
  created<HorizontalPodAutoscaler>({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h', namespace: 'n' },
    spec: { maxReplicas: 3, scaleTargetRef: target, ...spec },
  }).object

test('the first version aims at the CPU by a field of its own', () => {
  const v1 = autoscalerToV1(stored({}))
  assert.equal(v1.spec.targetCPUUtilizationPercentage, 80)
  assert.equal(v1.metadata.annotations, undefined)
})

test('what the first version has no fields for survives in annotations', () => {
  const full = stored({
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      {
        type: 'Pods',
        pods: {
          metric: { name: 'hits', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'AverageValue', averageValue: '10' },
        },
      },
      {
        type: 'ContainerResource',
        containerResource: { name: 'memory', container: 'c', target: { type: 'AverageValue', averageValue: '1Gi' } },
      },
      { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '5' } } },
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'v1', kind: 'Service', name: 's' },
          metric: { name: 'rps' },
          target: { type: 'Value', value: '7' },
        },
      },
    ],
  })
  const v1 = autoscalerToV1(full)
  assert.deepEqual(Object.keys(v1.metadata.annotations ?? {}).sort(), [
    'autoscaling.alpha.kubernetes.io/behavior',
    'autoscaling.alpha.kubernetes.io/metrics',
  ])
  const back = autoscalerFromV1(v1)
  assert.equal(back.metadata.annotations, undefined)
  assert.deepEqual(back.spec.behavior, full.spec.behavior)
  // The CPU comes last: it has a field, the others come from the annotation.
  const [cpu, ...others] = full.spec.metrics ?? []
  assert.deepEqual(back.spec.metrics, [...others, cpu])
})

test('annotations that make no sense are left out', () => {
  const v1 = {
    ...autoscalerToV1(stored({})),
    metadata: { name: 'h', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': 'no JSON' } },
  }
  assert.deepEqual(
    autoscalerFromV1(v1).spec.metrics?.map(({ type }) => type),
    ['Resource'],
  )
})
