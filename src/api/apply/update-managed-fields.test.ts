import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import { definition } from '../schema/builtin.ts'
import { decodeSent, normalise } from '../schema/decode.ts'
import { updateManagedFields } from './update-managed-fields.ts'
import type { ManagedUpdate } from './update-managed-fields.ts'
import { setOf, differenceWithin } from './field-set.ts'
import { deepFreeze as frozen } from '../schema/values.ts'

const configMaps = definition('io.k8s.api.core.v1.ConfigMap')
const deployments = definition('io.k8s.api.apps.v1.Deployment')
const second = (n: number) => Date.UTC(2026, 0, 1) + n * 1000

interface Step {
  readonly object: object
  readonly manager?: string
  readonly subresource?: string
  readonly at?: number
  readonly options?: Partial<ManagedUpdate>
}

/** Runs writes one after the other and gives the object after the last one. */
function written(schema: typeof configMaps, ...steps: Step[]): Frozen<KubernetesObject> {
  let old: Frozen<KubernetesObject> | undefined
  steps.forEach(({ object, manager = 'tester', subresource = '', at, options }, i) => {
    const now = decodeSent(schema, object) as KubernetesObject
    const apiVersion = now.apiVersion!
    const entries = updateManagedFields({
      schema,
      apiVersion,
      old,
      new: frozen(now),
      manager,
      subresource,
      nowMs: second(at ?? i),
      ...options,
    })
    const stored = normalise(schema, now) as KubernetesObject
    const { managedFields: _, ...metadata } = stored.metadata!
    old = frozen({ ...stored, metadata: { ...metadata, uid: 'u', ...(entries && { managedFields: entries }) } })
  })
  return old!
}

const entriesOf = (object: Frozen<KubernetesObject>): readonly Frozen<ManagedFieldsEntry>[] =>
  object.metadata?.managedFields ?? []
const brief = (object: Frozen<KubernetesObject>): string[] =>
  entriesOf(object).map(
    ({ manager, operation, fieldsV1, subresource }) =>
      `${manager} ${operation}${subresource ? `/${subresource}` : ''} ${JSON.stringify(fieldsV1)}`,
  )

const map = (data: Record<string, string> | undefined, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'd', ...metadata },
  ...(data && { data }),
})

const deployment = (spec: object, metadata: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', ...metadata },
  spec: {
    selector: { matchLabels: { app: 'x' } },
    template: {
      metadata: { labels: { app: 'x' } },
      spec: { containers: [{ name: 'main', image: 'a:1', ports: [{ containerPort: 80 }] }] },
    },
    ...spec,
  },
})

test('whoever creates an object owns all of it but what nobody owns', () => {
  const [entry] = entriesOf(
    written(configMaps, {
      object: map({ b: '2', a: '1' }, { labels: { app: 'x' }, resourceVersion: '7', generateName: 'c' }),
    }),
  )
  assert.equal(
    JSON.stringify(entry),
    '{"manager":"tester","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{},"f:b":{}},"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{}}}}}',
  )
})

test('an empty list is owned where JSON always has the field, and only there', () => {
  const slices = definition('io.k8s.api.discovery.v1.EndpointSlice')
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 's', ownerReferences: [] },
    addressType: 'IPv4',
  }
  assert.deepEqual(brief(written(slices, { object: { ...slice, endpoints: [], ports: [] } })), [
    'tester Update {"f:addressType":{},"f:endpoints":{},"f:ports":{}}',
  ])
  assert.deepEqual(brief(written(slices, { object: { ...slice, endpoints: null } })), [
    'tester Update {"f:addressType":{}}',
  ])
  const owned = {
    ...slice,
    metadata: { name: 's', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] },
  }
  assert.deepEqual(brief(written(slices, { object: owned }, { object: slice, manager: 'other' })), [
    'tester Update {"f:addressType":{}}',
  ])
})

test('empty lists and maps inside what is owned as a whole are no change of it', () => {
  const definitions = definition('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition')
  const of = (schema: object) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'd' },
    spec: {
      group: 'g',
      names: { plural: 'd', kind: 'D' },
      scope: 'Cluster',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  })
  const plain = of({ type: 'object' })
  assert.equal(
    brief(
      written(
        definitions,
        { object: plain },
        { object: of({ type: 'object', properties: {}, required: [] }), manager: 'other' },
      ),
    ).length,
    1,
  )
  assert.equal(
    brief(
      written(definitions, { object: plain }, { object: of({ type: 'object', required: ['a'] }), manager: 'other' }),
    ).length,
    2,
  )
})

test('what Go always writes has no owner of its own', () => {
  const [entry] = entriesOf(written(deployments, { object: deployment({ replicas: 2 }) }))
  assert.equal(
    JSON.stringify(entry!.fieldsV1),
    '{"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"main\\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{".":{},"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},"f:resources":{}}}}}}}',
  )
})

test('who changes a field takes it over, and who removes it owns nothing', () => {
  const object = written(
    configMaps,
    { object: map({ a: '1', b: '1', c: '1' }), manager: 'one' },
    { object: map({ a: '1', b: '2' }), manager: 'two' },
  )
  assert.deepEqual(brief(object), ['one Update {"f:data":{".":{},"f:a":{}}}', 'two Update {"f:data":{"f:b":{}}}'])
})

test('a write that changes nothing keeps the entries as they are', () => {
  const first = written(configMaps, { object: map({ a: '1' }), manager: 'one' })
  const same = written(
    configMaps,
    { object: map({ a: '1' }), manager: 'one' },
    { object: map({ a: '1' }), manager: 'two', at: 100 },
  )
  assert.deepEqual(entriesOf(same), entriesOf(first))
})

test('a manager that writes again has one entry with the new time', () => {
  const object = written(
    configMaps,
    { object: map({ a: '1' }), manager: 'one' },
    { object: map({ a: '1', b: '1' }), manager: 'one', at: 60 },
  )
  assert.deepEqual(brief(object), ['one Update {"f:data":{".":{},"f:a":{},"f:b":{}}}'])
  assert.equal(entriesOf(object)[0]!.time, '2026-01-01T00:01:00Z')
})

test('an emptied owner is gone', () => {
  const object = written(
    configMaps,
    { object: map({ a: '1' }), manager: 'one' },
    { object: map(undefined), manager: 'two' },
  )
  assert.deepEqual(brief(object), [])
})

test('managed fields that clients send count, and an empty entry or list drops them all', () => {
  const sent = [
    {
      manager: 'mine',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {} } },
    },
  ]
  assert.deepEqual(
    brief(
      written(
        configMaps,
        { object: map({ a: '1' }), manager: 'one' },
        { object: map({ a: '1' }, { managedFields: sent }) },
      ),
    ),
    ['mine Update {"f:data":{"f:a":{}}}'],
  )
  assert.deepEqual(
    brief(written(configMaps, { object: map({ a: '1' }) }, { object: map({ a: '1' }, { managedFields: [{}] }) })),
    [],
  )
  assert.deepEqual(
    brief(written(configMaps, { object: map({ a: '1' }) }, { object: map({ a: '1' }, { managedFields: [] }) })),
    [],
  )
})

test('managed fields that are not valid are as good as absent', () => {
  const first = brief(written(configMaps, { object: map({ a: '1' }) }))
  for (const bad of [
    { manager: 'x', operation: 'Take', apiVersion: 'v1', fieldsType: 'FieldsV1' },
    { manager: 'x', operation: 'Update', apiVersion: 'v1' },
    { manager: 'x', operation: 'Update', fieldsType: 'FieldsV1' },
  ]) {
    assert.deepEqual(
      brief(written(configMaps, { object: map({ a: '1' }) }, { object: map({ a: '1' }, { managedFields: [bad] }) })),
      first,
    )
  }
})

test('an object without managed fields stays without them', () => {
  const object = written(
    configMaps,
    { object: map({ a: '1' }) },
    { object: map({ a: '1' }, { managedFields: [] }) },
    { object: map({ a: '2' }) },
  )
  assert.deepEqual(brief(object), [])
})

test('an endpoint does not own what it resets', () => {
  const status = setOf(['f:status'])
  const object = written(deployments, {
    object: { ...deployment({ replicas: 1 }), status: { replicas: 3 } },
    options: { resetFields: (fields) => differenceWithin(fields, status) },
  })
  assert.ok(!('f:status' in (entriesOf(object)[0]!.fieldsV1 as object)))
})

test('elements of lists are owned by their keys, in whatever order they stand', () => {
  const template = (...containers: object[]) => deployment({ template: { metadata: {}, spec: { containers } } })
  const [a, b] = [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ]
  const object = written(
    deployments,
    { object: template(a, b), manager: 'one' },
    { object: template({ ...b, image: 'y' }, a), manager: 'two' },
  )
  assert.match(
    brief(object)[1]!,
    /^two Update \{"f:spec":\{"f:template":\{"f:spec":\{"f:containers":\{"k:\{\\"name\\":\\"b\\"\}":\{"f:image":\{\}\}\}\}\}\}\}$/,
  )
})

test('more than ten updaters are merged, the oldest first', () => {
  const data: Record<string, string> = {}
  const object = written(
    configMaps,
    ...Array.from({ length: 13 }, (_, i) => ({
      object: map(Object.assign({}, Object.assign(data, { [`k${i}`]: 'v' }))),
      manager: `m${i}`,
    })),
  )
  const managers = entriesOf(object).map(({ manager }) => manager)
  assert.equal(managers.length, 10)
  assert.equal(managers[0], 'ancient-changes')
  assert.deepEqual(Object.keys((entriesOf(object)[0]!.fieldsV1 as Record<string, object>)['f:data']!), [
    '.',
    'f:k0',
    'f:k1',
    'f:k2',
    'f:k3',
  ])
})

test('entries of versions that are gone are dropped, those of other versions are kept by conversion', () => {
  const foreign = {
    manager: 'old',
    operation: 'Update',
    apiVersion: 'v0',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:a': {} } },
  }
  const start = { object: map({ a: '1', b: '1' }) }
  const mine = {
    manager: 'x',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:b': {} } },
  }
  const given = { object: map({ a: '1', b: '1' }, { managedFields: [foreign, mine] }) }
  const change = { object: map({ a: '1', b: '2' }), manager: 'x' }
  assert.deepEqual(brief(written(configMaps, start, given, change)), ['x Update {"f:data":{"f:b":{}}}'])
  const options = { convert: (object: Frozen<KubernetesObject>) => ({ schema: configMaps, object }) }
  assert.deepEqual(brief(written(configMaps, start, { ...given, options }, { ...change, options })), [
    'old Update {"f:data":{"f:a":{}}}',
    'x Update {"f:data":{"f:b":{}}}',
  ])
})
