import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiError } from '../errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import { definition } from '../schema/builtin.ts'
import { decode } from '../schema/decode.ts'
import type { StructSchema } from '../schema/schema.ts'
import { deepFreeze } from '../schema/values.ts'
import type { ApplyPatch } from './server-side-apply.ts'
import { keepTimesWhenUnchanged, serverSideApply } from './server-side-apply.ts'
import { updateManagedFields } from './update-managed-fields.ts'

const configMaps = definition('io.k8s.api.core.v1.ConfigMap')
const deployments = definition('io.k8s.api.apps.v1.Deployment')
const services = definition('io.k8s.api.core.v1.Service')
const nowMs = Date.UTC(2026, 0, 1)

type Live = Frozen<KubernetesObject> & {
  readonly data?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
}

/** An object that is written to, as a server would. */
class Stored {
  live: Live | undefined
  readonly #schema: StructSchema

  constructor(schema: StructSchema) {
    this.#schema = schema
  }

  apply(manager: string, applied: object, options: Partial<ApplyPatch> = {}): Live {
    const { apiVersion, kind } = applied as { apiVersion: string; kind: string }
    const object = serverSideApply({
      schema: this.#schema,
      apiVersion,
      kind,
      live: this.live,
      applied: deepFreeze(structuredClone(applied)),
      manager,
      force: false,
      subresource: '',
      nowMs,
      ...options,
    })
    return this.#store(object)
  }

  update(manager: string, change: (object: Live) => object): Live {
    const now = decode(this.#schema, change(this.live ?? ({} as Live))) as KubernetesObject
    const entries = updateManagedFields({
      schema: this.#schema,
      apiVersion: now.apiVersion!,
      old: this.live,
      new: now,
      manager,
      subresource: '',
      nowMs,
    })
    return this.#store({ ...now, metadata: { ...now.metadata, ...(entries && { managedFields: entries }) } })
  }

  #store(object: KubernetesObject): Live {
    const next = decode(this.#schema, { ...object, metadata: { ...object.metadata, uid: 'u' } }) as KubernetesObject
    return (this.live = deepFreeze(this.live ? keepTimesWhenUnchanged(this.live, next) : next) as Live)
  }

  get owners(): string[] {
    return (this.live?.metadata?.managedFields ?? []).map(
      ({ manager, operation, fieldsV1 }) => `${manager} ${operation} ${JSON.stringify(fieldsV1)}`,
    )
  }
}

const map = (data?: Record<string, string>, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...metadata },
  ...(data && { data }),
})

const deployment = (spec: object, pod: object = { containers: [{ name: 'main', image: 'a:1' }] }) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    selector: { matchLabels: { app: 'x' } },
    template: { metadata: { labels: { app: 'x' } }, spec: pod },
    ...spec,
  },
})

function conflictOf(act: () => unknown): ApiError {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('applying creates an object whose applier owns what it applied', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map({ a: '1' }, { labels: { app: 'x' } }))
  assert.deepEqual(stored.live?.data, { a: '1' })
  assert.deepEqual(stored.owners, ['one Apply {"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:app":{}}}}'])
})

test('what is no longer applied is removed, unless somebody else owns it', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map({ a: '1', b: '1', c: '1' }))
  stored.apply('two', map({ b: '1' }))
  stored.update('three', (object) => ({ ...object, data: { ...object.data, d: '1' } }))
  assert.deepEqual(stored.apply('one', map({ a: '1' })).data, { a: '1', b: '1', d: '1' })
  assert.deepEqual(stored.apply('two', map()).data, { a: '1', d: '1' })
  assert.deepEqual(stored.owners, ['one Apply {"f:data":{"f:a":{}}}', 'three Update {"f:data":{"f:d":{}}}'])
})

test('an object whose owner references are no longer applied keeps its name', () => {
  const stored = new Stored(configMaps)
  const metadata = { name: 'c', namespace: 'd' }
  stored.apply('one', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] },
  })
  const { name, ownerReferences } = stored.apply('one', { apiVersion: 'v1', kind: 'ConfigMap', metadata }).metadata!
  assert.deepEqual([name, ownerReferences], ['c', undefined])
})

test('what is owned as a whole is compared as it is applied, without what defaults add', () => {
  const stored = new Stored(deployments)
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: {
      template: {
        spec: {
          containers: [
            { name: 'c', env: [{ name: 'M', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } }] },
          ],
        },
      },
    },
  }
  stored.update('creator', () => deployment)
  assert.throws(() => stored.apply('one', deployment), /resourceFieldRef/)
})

test('a field that another applier owns with another value is a conflict that names both', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map({ a: '1' }))
  const error = conflictOf(() => stored.apply('two', map({ a: '2' })))
  assert.equal(error.code, 409)
  assert.equal(error.reason, 'Conflict')
  assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "one": .data.a')
  assert.deepEqual(error.status.details?.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
  ])
})

test('several conflicts are listed by manager', () => {
  const stored = new Stored(deployments)
  stored.update('kubectl-edit', () => deployment({ replicas: 2 }))
  stored.apply('one', deployment({ minReadySeconds: 5 }))
  const error = conflictOf(() =>
    stored.apply(
      'two',
      deployment({ replicas: 3, minReadySeconds: 6 }, { containers: [{ name: 'main', image: 'b:1' }] }),
    ),
  )
  assert.equal(
    error.message,
    [
      'Apply failed with 4 conflicts: conflicts with "kubectl-edit" using apps/v1:',
      '- .spec.replicas',
      '- .spec.template.spec.containers[name="main"].image',
      'conflicts with "one":',
      '- .spec.minReadySeconds',
      '- .spec.template.spec.containers[name="main"].image',
    ].join('\n'),
  )
})

test('force takes fields over', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map({ a: '1', b: '1' }))
  assert.deepEqual(stored.apply('two', map({ a: '2' }), { force: true }).data, { a: '2', b: '1' })
  assert.deepEqual(stored.owners, ['one Apply {"f:data":{"f:b":{}}}', 'two Apply {"f:data":{"f:a":{}}}'])
})

test('appliers of the same value own it together', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map({ a: '1' }))
  stored.apply('two', map({ a: '1' }))
  stored.apply('one', map())
  assert.deepEqual(stored.live?.data, { a: '1' })
  assert.deepEqual(stored.owners, ['two Apply {"f:data":{"f:a":{}}}'])
})

test('applying the same again changes nothing, not even a time', () => {
  const stored = new Stored(configMaps)
  const first = stored.apply('one', map({ a: '1' }))
  const again = stored.apply('one', map({ a: '1' }), { nowMs: nowMs + 60_000 })
  assert.deepEqual(again, first)
})

test('lists with keys are merged element by element, absent keys having their default', () => {
  const service = (ports: object[]) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports } })
  const stored = new Stored(services)
  stored.apply('one', service([{ port: 80, name: 'http' }]))
  stored.apply(
    'two',
    service([
      { port: 80, protocol: 'TCP', targetPort: 8080 },
      { port: 53, protocol: 'UDP' },
    ]),
  )
  assert.deepEqual(stored.live?.spec?.['ports'], [
    { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
    { protocol: 'UDP', port: 53, targetPort: 0 },
  ])
  stored.apply('two', service([{ port: 53, protocol: 'UDP' }]))
  assert.deepEqual(stored.live?.spec?.['ports'], [
    { name: 'http', protocol: 'TCP', port: 80, targetPort: 0 },
    { protocol: 'UDP', port: 53, targetPort: 0 },
  ])
})

test('the order that is applied wins, and what was not applied keeps its place', () => {
  const containers = (...names: string[]) => deployment({}, { containers: names.map((name) => ({ name, image: 'x' })) })
  const order = (live: Live) =>
    (live.spec!['template'] as { spec: { containers: { name: string }[] } }).spec.containers
      .map(({ name }) => name)
      .join('')
  const stored = new Stored(deployments)
  stored.update('setup', () => containers('a', 'b', 'c', 'd'))
  assert.equal(order(stored.apply('one', containers('d', 'b'))), 'acdb')
})

test('sets are merged, atomic lists and maps are owned as a whole', () => {
  const stored = new Stored(configMaps)
  stored.apply('one', map(undefined, { finalizers: ['x/a', 'x/b'] }))
  stored.apply('two', map(undefined, { finalizers: ['x/c'] }))
  assert.deepEqual(stored.apply('one', map(undefined, { finalizers: ['x/a'] })).metadata?.finalizers, ['x/a', 'x/c'])
  const pods = new Stored(deployments)
  const withTolerations = (key: string) =>
    deployment({}, { containers: [{ name: 'main', image: 'a:1' }], tolerations: [{ key }] })
  pods.apply('one', withTolerations('a'))
  assert.equal(
    conflictOf(() => pods.apply('two', withTolerations('b'))).message,
    'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.tolerations',
  )
})

test('a list owned as a whole that is applied empty is a change of it like another', () => {
  const stored = new Stored(deployments)
  const withTolerations = (...tolerations: object[]) =>
    deployment({}, { containers: [{ name: 'main', image: 'a:1' }], tolerations })
  stored.apply('one', withTolerations({ key: 'a' }))
  assert.equal(
    conflictOf(() => stored.apply('two', withTolerations())).message,
    'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.tolerations',
  )
  stored.apply('two', withTolerations(), { force: true })
  assert.doesNotMatch(
    stored.owners.find((owner) => owner.startsWith('one'))!,
    /tolerations/,
  )
})

test('fields of an object without managed fields belong to before-first-apply', () => {
  const stored = new Stored(configMaps)
  stored.live = deepFreeze(map({ a: '1', b: '1' }, { uid: 'u' })) as Live
  stored.apply('one', map({ a: '1' }))
  assert.deepEqual(stored.owners, [
    'one Apply {"f:data":{"f:a":{}}}',
    'before-first-apply Update {"f:data":{".":{},"f:a":{},"f:b":{}}}',
  ])
})

const lastApplied = (object: object) => ({
  annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object) },
})

test('kubectl takes over what its own client-side apply set, and keeps the annotation up to date', () => {
  const stored = new Stored(configMaps)
  stored.update('kubectl-client-side-apply', () => map({ a: '1', b: '1' }, lastApplied(map({ a: '1', b: '1' }))))
  stored.update('somebody', (object) => ({ ...object, data: { ...object.data, b: '9' } }))
  assert.equal(
    conflictOf(() => stored.apply('kubectl', map({ a: '2', b: '2' }))).message,
    'Apply failed with 1 conflict: conflict with "somebody" using v1: .data.b',
  )
  stored.apply('kubectl', map({ a: '2' }))
  assert.equal(stored.live?.data?.['a'], '2')
  assert.equal(
    stored.live?.metadata?.annotations?.['kubectl.kubernetes.io/last-applied-configuration'],
    '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c"}}\n',
  )
  assert.ok(conflictOf(() => stored.apply('other', map({ a: '3' }))))
})

test('what does not fit is refused with the field', () => {
  const refusals: [object, RegExp][] = [
    [{ ...map(), apiVersion: 'v2' }, /^invalid object type: \/v2, Kind=ConfigMap$/],
    [map(undefined, { managedFields: [] }), /^metadata.managedFields must be nil$/],
    [
      { ...map(), extra: 1 },
      /^failed to create typed patch object \(\/c; \/v1, Kind=ConfigMap\): \.extra: field not declared in schema$/,
    ],
    [{ ...map(), data: 'x' }, /\.data: expected map, got &\{x\}$/],
    [{ ...map(), data: { a: 1 } }, /\.data\.a: expected string, got &\{1\}$/],
    [map(undefined, { finalizers: ['x/a', 'x/a'] }), /\.metadata\.finalizers: duplicate entries for key \[="x\/a"\]$/],
  ]
  for (const [applied, text] of refusals) {
    const error = conflictOf(() => new Stored(configMaps).apply('one', applied, { apiVersion: 'v1' }))
    assert.equal(error.code, 400)
    assert.match(error.message, text)
  }
})

test('whatever is applied by two, each finds its own in the result and applying again changes nothing', () => {
  const data = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('one', 'two'), data), { minLength: 1, maxLength: 8 }), (steps) => {
      const stored = new Stored(configMaps)
      const last = new Map<string, Record<string, string>>()
      for (const [manager, wanted] of steps) {
        const live = stored.apply(manager, map(wanted), { force: true })
        for (const [key, value] of Object.entries(wanted)) assert.equal(live.data?.[key], value)
        last.set(manager, wanted)
        assert.deepEqual(stored.apply(manager, map(wanted), { force: true }), live)
        const wantedByAny = new Set([...last.values()].flatMap((one) => Object.keys(one)))
        for (const key of Object.keys(live.data ?? {}))
          assert.ok(wantedByAny.has(key), `${key} is left though nobody applies it`)
      }
    }),
  )
})
