import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindDefinitions } from './kinds.ts'
import { created, kindOf, kinds } from './kinds.test-support.ts'
import type { Frozen, KubernetesObject } from './resource.ts'

test('every kind that is served has its behaviour', () => {
  const defined = new Set(
    kindDefinitions.map(({ resource }) => `${resource.group}/${resource.version}/${resource.plural}`),
  )
  assert.equal(defined.size, kindDefinitions.length, 'no kind is there twice')
  const missing = kinds
    .all()
    .filter(({ resource }) => !defined.has(`${resource.group}/${resource.version}/${resource.plural}`))
  assert.deepEqual(
    missing.map(({ resource }) => resource.kind),
    [],
  )
})

test('rules and defaults cope with objects that say nothing at all', () => {
  for (const { resource } of kinds.all()) {
    const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version
    const { object } = created({ apiVersion, kind: resource.kind, metadata: { name: 'x' } })
    const again = structuredClone(object)
    kindOf(object).behaviour.defaults?.(again)
    assert.deepEqual(again, object, `defaults of ${resource.kind} are the same when they are filled in twice`)
    kindOf(object).behaviour.warnings?.(object as Frozen<KubernetesObject>, undefined, '')
  }
})

test('a side effect that is empty is one that is not known, and one that is absent is asked for', () => {
  const webhook = (more: object) =>
    created({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'w' },
      webhooks: [{ name: 'a.b.c', admissionReviewVersions: ['v1'], clientConfig: { url: 'https://x' }, ...more }],
    }).errors
  assert.match(webhook({ sideEffects: '' })[0]!, /^webhooks\[0\].sideEffects: Unsupported value/)
  assert.match(webhook({})[0]!, /^webhooks\[0\].sideEffects: Required value/)
})

test('a ratio that 64 bits cannot hold is no ratio', () => {
  const range = (ratio: string) =>
    created({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l', namespace: 'n' },
      spec: {
        limits: [{ type: 'Container', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: ratio } }],
      },
    }).errors
  assert.deepEqual(range('1e30'), [])
  assert.equal(range('3').length, 1)
})

test('a device class is judged by the name that was made, not by what it begins with', () => {
  const made = (kind: string) =>
    created({
      apiVersion: 'resource.k8s.io/v1',
      kind,
      metadata: { name: 'x', namespace: kind === 'DeviceClass' ? undefined : 'n', generateName: 'g'.repeat(300) },
      spec: { devices: {} },
    }).errors
  assert.deepEqual(made('DeviceClass'), [])
  assert.match(made('ResourceClaim')[0]!, /^metadata.generateName/)
})
