import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConflict, isNotFound } from '../../api/errors/api-error.ts'
import { created, kindOf } from '../../api/kinds.test-support.ts'
import { admin, configMaps, pod, pods, startTestServer, type Loose } from '../server.test-support.ts'
import { beforeUpdate } from './rules.ts'

const code = (expected: number) => (error: { code?: number }) => error.code === expected

test('what was created can be read, listed and deleted', async (t) => {
  const { send } = await startTestServer(t)
  const made = await send('POST', configMaps, { metadata: { name: 'a' }, data: { k: 'v' } })
  assert.equal(made.kind, 'ConfigMap')
  assert.match(made.metadata.uid ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(await send('GET', `${configMaps}/a`), made)
  assert.deepEqual(
    (await send('GET', configMaps)).items.map(({ metadata }) => metadata.name),
    ['a'],
  )
  const gone = await send('DELETE', `${configMaps}/a`)
  assert.equal(gone.kind, 'Status')
  await assert.rejects(send('GET', `${configMaps}/a`), isNotFound)
})

test('a name that is taken is refused, one that is only begun is finished', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', configMaps, { metadata: { name: 'a' } })
  await assert.rejects(send('POST', configMaps, { metadata: { name: 'a' } }), code(409))
  const named = await send('POST', configMaps, { metadata: { generateName: 'web-' } })
  assert.match(named.metadata.name ?? '', /^web-[a-z0-9]{5}$/)
})

test('an update from an old version is refused, one without a version wins', async (t) => {
  const { send } = await startTestServer(t)
  const first = await send('POST', configMaps, { metadata: { name: 'a' } })
  const second = await send('PUT', `${configMaps}/a`, { ...first, data: { k: '1' } })
  assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion)
  await assert.rejects(send('PUT', `${configMaps}/a`, { ...first, data: { k: '2' } }), isConflict)
  const third = await send('PUT', `${configMaps}/a`, { metadata: { name: 'a' }, data: { k: '3' } })
  assert.deepEqual(third.data, { k: '3' })
})

test('an update that changes nothing writes nothing', async (t) => {
  const { send } = await startTestServer(t)
  const made = await send('POST', configMaps, { metadata: { name: 'a' }, data: { k: 'v' } })
  const same = await send('PUT', `${configMaps}/a`, { metadata: { name: 'a' }, data: { k: 'v' } })
  assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion)
})

test('a dry run answers as if it were real, and leaves nothing', async (t) => {
  const { send } = await startTestServer(t)
  const made = await send('POST', configMaps, { metadata: { name: 'a' } }, { query: { dryRun: 'All' } })
  assert.equal(made.metadata.name, 'a')
  await assert.rejects(send('GET', `${configMaps}/a`), isNotFound)
  await send('POST', configMaps, { metadata: { name: 'a' } })
  await send('DELETE', `${configMaps}/a`, { dryRun: ['All'] })
  assert.equal((await send('GET', `${configMaps}/a`)).metadata.name, 'a')
})

test('an object with a finalizer goes when the finalizer does', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', configMaps, { metadata: { name: 'a', finalizers: ['example.test/x'] } })
  const deleting = await send('DELETE', `${configMaps}/a`)
  assert.equal(deleting.metadata.deletionGracePeriodSeconds, 0)
  assert.ok(deleting.metadata.deletionTimestamp)
  await send(
    'PATCH',
    `${configMaps}/a`,
    { metadata: { finalizers: null } },
    { contentType: 'application/merge-patch+json' },
  )
  await assert.rejects(send('GET', `${configMaps}/a`), isNotFound)
})

test('a pod on a node is given its grace period, one without a node none', async (t) => {
  const { send, clock } = await startTestServer(t)
  await send('POST', pods, pod('free'))
  await send('DELETE', `${pods}/free`)
  await assert.rejects(send('GET', `${pods}/free`), isNotFound)
  await send('POST', pods, pod('bound', { nodeName: 'n' }))
  const deleting = await send('DELETE', `${pods}/bound`)
  assert.equal(deleting.metadata.deletionGracePeriodSeconds, 30)
  assert.equal(Date.parse(deleting.metadata.deletionTimestamp!), clock.now() + 30_000)
  // Only shorter is possible, and nothing at all means now.
  const shorter = await send('DELETE', `${pods}/bound`, { gracePeriodSeconds: 5 })
  assert.equal(shorter.metadata.deletionGracePeriodSeconds, 5)
  await send('DELETE', `${pods}/bound`, { gracePeriodSeconds: 0 })
  await assert.rejects(send('GET', `${pods}/bound`), isNotFound)
})

test('preconditions of a deletion must hold', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', configMaps, { metadata: { name: 'a' } })
  await assert.rejects(send('DELETE', `${configMaps}/a`, { preconditions: { uid: 'other' } }), isConflict)
  await assert.rejects(send('DELETE', `${configMaps}/a`, { preconditions: { resourceVersion: '1' } }), isConflict)
})

test('a deletion that comes with something else than its options is refused', async (t) => {
  const { send } = await startTestServer(t)
  const made = await send('POST', configMaps, { metadata: { name: 'a' } })
  await assert.rejects(send('DELETE', `${configMaps}/a`, made), code(400))
  await send('DELETE', `${configMaps}/a`, { kind: 'DeleteOptions', apiVersion: 'v1' })
})

test('nothing new comes into a namespace that ends', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'x' } })
  const ending = await send('DELETE', '/api/v1/namespaces/x')
  assert.deepEqual(ending.status, { phase: 'Terminating' })
  await assert.rejects(send('POST', '/api/v1/namespaces/x/configmaps', { metadata: { name: 'a' } }), code(403))
  await send('PUT', '/api/v1/namespaces/x/finalize', { metadata: { name: 'x' }, spec: { finalizers: [] } })
  await assert.rejects(send('GET', '/api/v1/namespaces/x'), isNotFound)
  await assert.rejects(send('POST', '/api/v1/namespaces/x/configmaps', { metadata: { name: 'a' } }), code(404))
})

test('pages together are the list as it was when the first was read', async (t) => {
  const { send } = await startTestServer(t)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await send('POST', configMaps, { metadata: { name } })
  const names: string[] = []
  let token: string | undefined
  do {
    const page = await send('GET', configMaps, undefined, { query: { limit: '2', ...(token && { continue: token }) } })
    names.push(...page.items.map(({ metadata }) => metadata.name ?? ''))
    if (!token) await send('DELETE', `${configMaps}/e`)
    token = (page.metadata as { continue?: string }).continue
  } while (token)
  assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e'])
  await assert.rejects(send('GET', configMaps, undefined, { query: { continue: 'nonsense' } }), code(400))
})

test('selectors choose by labels and fields', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', configMaps, { metadata: { name: 'a', labels: { app: 'x' } } })
  await send('POST', configMaps, { metadata: { name: 'b', labels: { app: 'y' } } })
  const chosen = async (query: Record<string, string>) =>
    (await send('GET', configMaps, undefined, { query })).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(await chosen({ labelSelector: 'app in (x)' }), ['a'])
  assert.deepEqual(await chosen({ fieldSelector: 'metadata.name!=a' }), ['b'])
  await assert.rejects(chosen({ labelSelector: 'app in' }), code(400))
  await assert.rejects(chosen({ fieldSelector: 'spec.nothing=1' }), code(400))
})

test('a watch tells what is there, then what happens, in order', async (t) => {
  const { send, transport } = await startTestServer(t)
  await send('POST', configMaps, { metadata: { name: 'a' } })
  const stop = new AbortController()
  const told: string[] = []
  const watching = (async () => {
    for await (const { type, object } of transport.watch(
      { method: 'GET', path: configMaps, query: { watch: 'true' } },
      stop.signal,
    )) {
      told.push(`${type} ${object.metadata?.name}`)
      if (told.length === 4) stop.abort()
    }
  })()
  await send('POST', configMaps, { metadata: { name: 'b' } })
  await send('PUT', `${configMaps}/b`, { metadata: { name: 'b' }, data: { k: 'v' } })
  await send('DELETE', `${configMaps}/a`)
  await watching
  assert.deepEqual(told, ['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a'])
})

test('what clients are given is frozen', async (t) => {
  const { send } = await startTestServer(t)
  const made = await send('POST', configMaps, { metadata: { name: 'a', labels: { x: 'y' } } })
  assert.throws(() => (made.metadata.labels!['x'] = 'z'), TypeError)
})

test('the status is changed by its subresource only, and the rest is not', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', pods, pod('p'))
  const before = await send('GET', `${pods}/p`)
  const put = await send('PUT', `${pods}/p`, { ...before, status: { phase: 'Failed' } } as object)
  assert.deepEqual(put.status, before.status)
  const written = await send('PUT', `${pods}/p/status`, {
    ...pod('p', { priority: 7 }),
    status: { phase: 'Running' },
  } as object)
  assert.equal((written.status as { phase?: string }).phase, 'Running')
  assert.equal((written.spec as { priority?: number }).priority, 0)
})

test('a scale is a view of its object', async (t) => {
  const { send } = await startTestServer(t)
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'app:1' }] } }
  await send('POST', path, {
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, template },
  })
  const scale = await send('GET', `${path}/web/scale`)
  assert.deepEqual(
    [scale.kind, (scale.spec as { replicas?: number }).replicas, (scale.status as { selector?: string }).selector],
    ['Scale', 2, 'app=x'],
  )
  await send('PATCH', `${path}/web/scale`, { spec: { replicas: 5 } }, { contentType: 'application/merge-patch+json' })
  assert.equal(((await send('GET', `${path}/web`)).spec as { replicas?: number }).replicas, 5)
  await assert.rejects(
    send('PUT', `${path}/web/scale`, { metadata: { name: 'web' }, spec: { replicas: -1 } }),
    code(422),
  )
})

test('unknown fields are told of, or refused, as the client wishes', async (t) => {
  const { send } = await startTestServer(t)
  const body = { metadata: { name: 'a' }, dta: {} }
  await assert.rejects(send('POST', configMaps, body, { query: { fieldValidation: 'Strict' } }), code(400))
  assert.equal((await send('POST', configMaps, body, { query: { fieldValidation: 'Ignore' } })).metadata.name, 'a')
  await assert.rejects(send('POST', configMaps, body, { query: { fieldValidation: 'Perhaps' } }), code(422))
})

test('deleting a collection leaves what the selector does not choose', async (t) => {
  const { send } = await startTestServer(t)
  for (const name of ['a', 'b', 'c'])
    await send('POST', configMaps, { metadata: { name, labels: { keep: String(name === 'c') } } })
  await send('DELETE', configMaps, undefined, { query: { labelSelector: 'keep=false' } })
  assert.deepEqual(
    (await send('GET', configMaps)).items.map(({ metadata }) => metadata.name),
    ['c'],
  )
})

test('two versions of a kind are one object', async (t) => {
  const { send } = await startTestServer(t)
  const path = '/apis/events.k8s.io/v1/namespaces/default/events'
  await send('POST', '/api/v1/namespaces/default/events', {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'Why',
    message: 'text',
  })
  const other = await send('GET', `${path}/e`)
  assert.equal(other.apiVersion, 'events.k8s.io/v1')
  assert.equal((other as unknown as { note: string }).note, 'text')
})

test('events go when nobody has added to them for an hour', async (t) => {
  const { send, clock } = await startTestServer(t)
  const path = '/api/v1/namespaces/default/events'
  await send('POST', path, {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
  })
  await clock.advance(59 * 60_000)
  assert.equal((await send('GET', path)).items.length, 1)
  await clock.advance(3 * 60_000)
  assert.equal((await send('GET', path)).items.length, 0)
})

test('an address is named as it is begun, and an event without a name is told of its other faults first', async (t) => {
  const { send } = await startTestServer(t)
  const address = {
    metadata: { generateName: '10.0.0.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } },
  }
  assert.equal((await send('POST', '/apis/networking.k8s.io/v1/ipaddresses', address)).metadata.name, '10.0.0.7')
  const causes = (event: object) =>
    send('POST', '/api/v1/namespaces/other/events', event).then(
      () => assert.fail('it was taken'),
      (error: { status: { details: { causes: { field: string }[] } } }) =>
        error.status.details.causes.map(({ field }) => field),
    )
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })
  assert.deepEqual(await causes({}), ['involvedObject.namespace'])
  assert.deepEqual(await causes({ involvedObject: { namespace: 'other' } }), ['metadata.name'])
})

test('devices in use can be asked for only in namespaces labelled for it', async (t) => {
  const { send } = await startTestServer(t)
  const claims = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims'
  const claim = {
    metadata: { name: 'c' },
    spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', adminAccess: true } }] } },
  }
  await assert.rejects(
    send('POST', claims, claim),
    /spec.devices.requests\[0\].adminAccess: Forbidden: admin access to devices requires/,
  )
  await send(
    'PATCH',
    '/api/v1/namespaces/default',
    { metadata: { labels: { 'resource.kubernetes.io/admin-access': 'true' } } },
    { contentType: 'application/merge-patch+json' },
  )
  await send('POST', claims, claim)
})

test('what a changed template is warned of is told, and only when it changed', async () => {
  const kind = kindOf({ apiVersion: 'apps/v1', kind: 'Deployment' })
  const spec = {
    selector: { matchLabels: { a: 'b' } },
    template: {
      metadata: { labels: { a: 'b' } },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x',
            env: [
              { name: 'A', value: 'x' },
              { name: 'A', value: 'y' },
            ],
          },
        ],
      },
    },
  }
  const { object } = created({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'n' },
    spec,
  })
  object.metadata!.generation = 1
  const told = (change: object): string[] => {
    const warnings: string[] = []
    const draft = { ...structuredClone(object), ...change } as Parameters<typeof beforeUpdate>[1]
    beforeUpdate(kind, draft, object, {
      nowMs: 0,
      uuid: () => '',
      user: admin,
      subresource: '',
      namespaceLabels: () => undefined,
      warn: (text) => warnings.push(text),
    })
    return warnings
  }
  assert.deepEqual(told({}), [])
  assert.equal(told({ spec: { ...(object as Loose).spec, replicas: 5 } }).length, 1)
})
