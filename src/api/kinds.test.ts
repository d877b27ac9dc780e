import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindDefinitions } from './kinds.ts'
import { created, kindOf, kinds } from './kinds.test-support.ts'
import type { Frozen, KubernetesObject } from './resource.ts'

test('every kind that is served has its behaviour', () => {
  const defined = new Set(kindDefinitions.map(({ resource }) => `${resource.group}/${resource.version}/${resource.plural}`))
  assert.equal(defined.size, kindDefinitions.length, 'no kind is there twice')
  const missing = kinds.all().filter(({ resource }) => !defined.has(`${resource.group}/${resource.version}/${resource.plural}`))
  assert.deepEqual(missing.map(({ resource }) => resource.kind), [])
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
