import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pod, pods, startTestServer } from '../server.test-support.ts'

type Spec = Record<string, unknown> & {
  containers: {
    resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
    volumeMounts?: { mountPath: string }[]
  }[]
}

const code = (expected: number) => (error: { code?: number }) => error.code === expected

test('a pod gets an account, its token, a priority and tolerations', async (t) => {
  const { send } = await startTestServer(t)
  const spec = (await send('POST', pods, pod('p'))).spec as unknown as Spec
  assert.equal(spec['serviceAccountName'], 'default')
  assert.equal(spec['priority'], 0)
  assert.equal(spec['preemptionPolicy'], 'PreemptLowerPriority')
  assert.deepEqual(
    (spec['tolerations'] as { key: string }[]).map(({ key }) => key),
    ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'],
  )
  assert.deepEqual(
    spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
    ['/var/run/secrets/kubernetes.io/serviceaccount'],
  )
})

test('a pod of an account that is not there is refused', async (t) => {
  const { send } = await startTestServer(t)
  await assert.rejects(send('POST', pods, pod('p', { serviceAccountName: 'none' })), code(403))
})

test('limits are filled in, then kept', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', '/api/v1/namespaces/default/limitranges', {
    metadata: { name: 'l' },
    spec: {
      limits: [{ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } }],
    },
  })
  const made = await send('POST', pods, pod('p'))
  assert.deepEqual((made.spec as unknown as Spec).containers[0]?.resources, {
    limits: { cpu: '500m' },
    requests: { cpu: '100m' },
  })
  await assert.rejects(
    send(
      'POST',
      pods,
      pod('big', { containers: [{ name: 'main', image: 'app:1', resources: { limits: { cpu: '2' } } }] }),
    ),
    /maximum cpu usage per Container is 1, but limit is 2/,
  )
})

test('the last of a quota is given out once', async (t) => {
  const { send } = await startTestServer(t)
  const path = '/api/v1/namespaces/default/resourcequotas'
  const quota = await send('POST', path, { metadata: { name: 'q' }, spec: { hard: { 'count/configmaps': '2' } } })
  await assert
    .rejects(
      send('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'early' } }),
      /status unknown|exceeded quota/,
    )
    .catch(() => send('DELETE', '/api/v1/namespaces/default/configmaps/early'))
  await send('PUT', `${path}/q/status`, {
    ...quota,
    metadata: { name: 'q' },
    status: { hard: { 'count/configmaps': '2' }, used: { 'count/configmaps': '0' } },
  } as object)
  const tries = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((name) => send('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name } })),
  )
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 2)
  assert.deepEqual((await send('GET', `${path}/q`)).status, {
    hard: { 'count/configmaps': '2' },
    used: { 'count/configmaps': '2' },
  })
})

test('pods keep to the level of their namespace', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', '/api/v1/namespaces', {
    metadata: { name: 'safe', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  })
  await send('POST', '/api/v1/namespaces/safe/serviceaccounts', { metadata: { name: 'default' } })
  const path = '/api/v1/namespaces/safe/pods'
  await assert.rejects(
    send('POST', path, pod('p')),
    /violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
  )
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }
  await send('POST', path, pod('p', { containers: [{ name: 'main', image: 'app:1', securityContext }] }))
})

test('a node writes the status of its own pods only', async (t) => {
  const { server, send, clock } = await startTestServer(t)
  await send('POST', pods, pod('mine', { nodeName: 'n' }))
  await send('POST', pods, pod('other', { nodeName: 'm' }))
  await clock.settle()
  const node = server.transport({ name: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] })
  const patch = (name: string) =>
    node.send({
      method: 'PATCH',
      path: `${pods}/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running' } },
    })
  await patch('mine')
  await assert.rejects(patch('other'), code(403))
})

test('the namespaces of the system stay', async (t) => {
  const { send } = await startTestServer(t)
  await assert.rejects(send('DELETE', '/api/v1/namespaces/kube-system'), code(403))
})

test('an evicted pod needs a budget that allows it', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', pods, { ...pod('p', { nodeName: 'n' }), metadata: { name: 'p', labels: { app: 'x' } } })
  await send(
    'PATCH',
    `${pods}/p/status`,
    { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    { contentType: 'application/merge-patch+json' },
  )
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  await send('POST', budgets, {
    metadata: { name: 'b' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
  })
  const evict = () => send('POST', `${pods}/p/eviction`, { metadata: { name: 'p' } })
  await assert.rejects(evict(), code(429))
  await send(
    'PATCH',
    `${budgets}/b/status`,
    { status: { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } },
    { contentType: 'application/merge-patch+json' },
  )
  await evict()
  const { status } = await send('GET', `${budgets}/b`)
  assert.equal((status as { disruptionsAllowed?: number }).disruptionsAllowed, 0)
  assert.ok((await send('GET', `${pods}/p`)).metadata.deletionTimestamp)
})

test('a pod is bound once', async (t) => {
  const { send } = await startTestServer(t)
  await send('POST', pods, pod('p'))
  const bind = (name: string) =>
    send('POST', `${pods}/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name } })
  await bind('n')
  assert.equal(((await send('GET', `${pods}/p`)).spec as { nodeName?: string }).nodeName, 'n')
  await assert.rejects(bind('m'), code(409))
})
