import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList } from './discovery/documents.ts'
import { deployments } from './generated/resources.ts'
import type { Kind } from './kind.ts'
import { compareVersions, newKindTable } from './table.ts'

const facts = (name: string) => JSON.parse(readFileSync(new URL(`../../facts/${name}`, import.meta.url), 'utf8'))

const custom = (group: string, version: string, plural: string): Kind => ({
  ...newKindTable([]).byResource('apps', 'v1', 'deployments')!,
  resource: { group, version, kind: plural, plural, namespaced: true },
  singular: plural.slice(0, -1),
  subresources: [],
  categories: [],
  shortNames: [],
  verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
  custom: true,
})

test('aggregated discovery is what upstream answers', () => {
  const table = newKindTable([])
  const { api, apis } = facts('discovery.json')
  assert.deepEqual((aggregatedDiscovery(table, true) as { items: unknown }).items, api)
  assert.deepEqual((aggregatedDiscovery(table, false) as { items: unknown }).items, apis)
})

test('a kind is found by its path and by what its objects say', () => {
  const table = newKindTable([{ resource: deployments, behaviour: { status: true } }])
  const kind = table.byResource('apps', 'v1', 'deployments')
  assert.equal(kind, table.byKind('apps', 'v1', 'Deployment'))
  assert.equal(kind?.behaviour.status, true)
  assert.equal(kind?.listKind, 'DeploymentList')
  assert.deepEqual(
    kind?.columns.map(({ name }) => name),
    ['Name', 'Ready', 'Up-to-date', 'Available', 'Age', 'Containers', 'Images', 'Selector'],
  )
  assert.equal(table.byResource('apps', 'v2', 'deployments'), undefined)
  assert.equal(table.preferred('autoscaling', 'horizontalpodautoscalers')?.resource.version, 'v2')
})

test('keys are laid out as upstream has them', () => {
  const table = newKindTable([])
  const prefix = (group: string, version: string, plural: string) =>
    table.byResource(group, version, plural)?.storagePrefix
  assert.equal(prefix('', 'v1', 'pods'), '/registry/pods/')
  assert.equal(prefix('', 'v1', 'services'), '/registry/services/specs/')
  assert.equal(prefix('', 'v1', 'endpoints'), '/registry/services/endpoints/')
  assert.equal(prefix('', 'v1', 'nodes'), '/registry/minions/')
  assert.equal(prefix('networking.k8s.io', 'v1', 'ingresses'), '/registry/ingress/')
  assert.equal(
    prefix('apiextensions.k8s.io', 'v1', 'customresourcedefinitions'),
    '/registry/apiextensions.k8s.io/customresourcedefinitions/',
  )
  assert.equal(prefix('coordination.k8s.io', 'v1', 'leases'), '/registry/leases/')
})

test('versions that share storage turn into each other', () => {
  const table = newKindTable([])
  const event = table.byResource('events.k8s.io', 'v1', 'events')!
  assert.equal(event.storedAs?.kind(), table.byResource('', 'v1', 'events'))
  assert.deepEqual(event.storedAs?.toStored({ apiVersion: 'events.k8s.io/v1' }), { apiVersion: 'v1' })
  assert.deepEqual(event.storedAs?.fromStored({ apiVersion: 'v1' }), { apiVersion: 'events.k8s.io/v1' })
  assert.equal(event.storagePrefix, event.storedAs?.kind().storagePrefix)
})

test('custom kinds come and go', () => {
  const table = newKindTable([])
  const before = table.revision
  table.add(custom('b.example.test', 'v1beta1', 'things'))
  table.add(custom('b.example.test', 'v1', 'things'))
  table.add(custom('a.example.test', 'v1', 'others'))
  assert.ok(table.revision > before)
  assert.deepEqual(table.groups().slice(-2), [
    { name: 'a.example.test', versions: ['v1'] },
    { name: 'b.example.test', versions: ['v1', 'v1beta1'] },
  ])
  assert.deepEqual(apiGroup(table, 'b.example.test')?.preferredVersion, {
    groupVersion: 'b.example.test/v1',
    version: 'v1',
  })
  assert.equal(apiGroupList(table).groups.at(-1)?.name, 'b.example.test')
  assert.deepEqual(apiResourceList(table, 'a.example.test', 'v1')?.resources[0]?.verbs.slice(0, 2), [
    'delete',
    'deletecollection',
  ])
  table.remove({ group: 'b.example.test', version: 'v1', plural: 'things' })
  assert.deepEqual(table.group('b.example.test')?.versions, ['v1beta1'])
  table.remove({ group: 'b.example.test', version: 'v1beta1', plural: 'things' })
  assert.equal(table.group('b.example.test'), undefined)
  assert.equal(apiResourceList(table, 'b.example.test', 'v1'), undefined)
})

test('the list of a core version has no apiVersion, foreign subresources name their group, stored kinds have a hash', () => {
  const list = apiResourceList(newKindTable([]), '', 'v1')!
  assert.ok(!('apiVersion' in list))
  const named = (name: string) => list.resources.find((resource) => resource.name === name)
  assert.deepEqual(named('pods/eviction'), {
    name: 'pods/eviction',
    singularName: '',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
    verbs: ['create'],
  })
  assert.equal(named('pods')?.storageVersionHash, 'xPOwRZ+Yhw8=')
  assert.equal(named('bindings')?.storageVersionHash, undefined)
})

test('versions are sorted by stability, then by age', () => {
  assert.deepEqual(['foo', 'v1alpha1', 'v1', 'v2beta1', 'v10', 'v1beta2', 'v2', 'bar'].sort(compareVersions), [
    'v10',
    'v2',
    'v1',
    'v2beta1',
    'v1beta2',
    'v1alpha1',
    'bar',
    'foo',
  ])
})
