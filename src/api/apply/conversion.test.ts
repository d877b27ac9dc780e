import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindDefinitions, storageConversions } from '../kinds.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import { decode } from '../schema/decode.ts'
import { newKindTable } from '../table.ts'
import { conversionOf } from './conversion.ts'
import { serverSideApply } from './server-side-apply.ts'

const kinds = newKindTable(kindDefinitions, storageConversions)
const v1 = kinds.byResource('autoscaling', 'v1', 'horizontalpodautoscalers')!
const v2 = kinds.byResource('autoscaling', 'v2', 'horizontalpodautoscalers')!

const autoscaler = (apiVersion: string, spec: object) => ({
  apiVersion,
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'h' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, ...spec },
})

test('objects turn into another version and back', () => {
  const convert = conversionOf(kinds, v1)
  const object = decode(
    v1.schema,
    autoscaler('autoscaling/v1', { maxReplicas: 5, targetCPUUtilizationPercentage: 70 }),
  ) as Frozen<KubernetesObject>
  const newer = convert(object, 'autoscaling/v2')!
  assert.equal(newer.object.apiVersion, 'autoscaling/v2')
  assert.deepEqual(decode(v1.schema, convert(newer.object, 'autoscaling/v1')!.object), object)
  assert.equal(convert(object, 'autoscaling/v1')!.object, object)
  assert.equal(convert(object, 'autoscaling/v3'), undefined)
  assert.equal(convert(object, 'v1'), undefined)
})

test('an applier that goes on in another version keeps its one entry, and gives up what it no longer applies', () => {
  const apply = (kind: typeof v1, live: Frozen<KubernetesObject> | undefined, apiVersion: string, spec: object) =>
    decode(
      kind.schema,
      serverSideApply({
        schema: kind.schema,
        apiVersion,
        kind: 'HorizontalPodAutoscaler',
        live,
        applied: autoscaler(apiVersion, spec),
        manager: 'one',
        force: false,
        subresource: '',
        nowMs: 0,
        convert: conversionOf(kinds, kind),
      }),
    ) as Frozen<KubernetesObject> & { readonly spec: Readonly<Record<string, unknown>> }
  const first = apply(v2, undefined, 'autoscaling/v2', { maxReplicas: 5, minReplicas: 2 })
  const second = apply(v1, conversionOf(kinds, v2)(first, 'autoscaling/v1')!.object, 'autoscaling/v1', {
    maxReplicas: 6,
  })
  assert.deepEqual(
    second.metadata?.managedFields?.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`),
    ['one autoscaling/v1'],
  )
  assert.equal(second.spec['maxReplicas'], 6)
  assert.equal(second.spec['minReplicas'], undefined)
})
