import assert from 'node:assert/strict'
import test from 'node:test'
import { events, nodes, pods, secrets } from '../api/generated/resources.ts'
import type { Pod } from '../api/generated/types/core-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { startSimulatedNode } from './testing/simulated-node.ts'

const condition = (pod: Frozen<Pod> | undefined, type: string) =>
  pod?.status?.conditions?.find((one) => one.type === type)?.status
const state = (pod: Frozen<Pod> | undefined, index = 0) => pod?.status?.containerStatuses?.[index]?.state

test('a kubelet registers its node, which is ready', async (t) => {
  const { client } = await startSimulatedNode(t)
  const node = await client.get(nodes, { name: 'node-1' })
  assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'KubeletReady')
  assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], 'node-1')
  assert.equal(node.status?.capacity?.['pods'], '110')
})

test('resources that others tell of can be had, until they are gone', async (t) => {
  const { client, clock } = await startSimulatedNode(t)
  const amount = async (field: 'capacity' | 'allocatable') =>
    (await client.get(nodes, { name: 'node-1' })).status?.[field]?.['example.com/fpga']
  const tell = async (value: string | null) => {
    await client.patch(
      nodes,
      { name: 'node-1' },
      { status: { capacity: { 'example.com/fpga': value } } },
      { type: 'merge', subresource: 'status' },
    )
    await clock.advance(20_000)
  }
  await tell('5')
  assert.deepEqual([await amount('capacity'), await amount('allocatable')], ['5', '5'])
  await tell(null)
  assert.deepEqual([await amount('capacity'), await amount('allocatable')], [undefined, undefined])
})

test('a node that becomes ready has not become unready before', async (t) => {
  const { client } = await startSimulatedNode(t)
  const reasons = (await client.list(events)).items.map(({ reason }) => reason)
  assert.ok(reasons.includes('NodeReady') && !reasons.includes('NodeNotReady'), reasons.join())
})

test('a pod runs, and is ready with an address', async (t) => {
  const node = await startSimulatedNode(t)
  const pod = await node.run('web', {})
  assert.equal(pod.status?.phase, 'Running')
  assert.equal(condition(pod, 'Ready'), 'True')
  assert.match(pod.status?.podIP ?? '', /^10\.88\./)
  assert.deepEqual(await node.eventsOf('web'), [
    'Normal Pulling Pulling image "example.test/app:1"',
    'Normal Pulled Successfully pulled image "example.test/app:1" in 0ms (0ms including waiting). Image size: 10000000 bytes.',
    'Normal Created Container created',
    'Normal Started Container started',
  ])
})

test('a pod whose containers end well succeeds', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('job', { restartPolicy: 'Never', containers: [{ name: 'main', command: ['sleep', '5'] }] })
  await node.clock.advance(6000)
  const pod = await node.pod('job')
  assert.equal(pod?.status?.phase, 'Succeeded')
  assert.equal(state(pod)?.terminated?.reason, 'Completed')
  assert.equal(pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted')
})

test('a container that fails is started again after 10, 20 and 40 seconds', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('crash', { containers: [{ name: 'main', command: ['false'] }] })
  const restarts = async () => (await node.pod('crash'))?.status?.containerStatuses?.[0]?.restartCount
  assert.equal(await restarts(), 1, 'the first restart comes at once')
  assert.equal(state(await node.pod('crash'))?.waiting?.reason, 'CrashLoopBackOff')
  for (const [seconds, count] of [
    [9, 1],
    [2, 2],
    [17, 2],
    [3, 3],
  ] as const) {
    await node.clock.advance(seconds * 1000)
    assert.equal(await restarts(), count, `after ${seconds} s more`)
  }
  assert.match(
    state(await node.pod('crash'))?.waiting?.message ?? '',
    /^back-off 40s restarting failed container=main pod=crash_default\(/,
  )
})

test('init containers run one after the other, sidecars stay', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('staged', {
    initContainers: [
      { name: 'first', image: 'i:1', command: ['sleep', '2'] },
      { name: 'proxy', image: 'i:1', restartPolicy: 'Always' },
      { name: 'second', image: 'i:1', command: ['sleep', '2'] },
    ],
  })
  assert.equal((await node.pod('staged'))?.status?.phase, 'Pending')
  assert.equal(condition(await node.pod('staged'), 'Initialized'), 'False')
  await node.clock.advance(3000)
  const middle = await node.pod('staged')
  assert.deepEqual(
    middle?.status?.initContainerStatuses?.map(({ name, started, ready }) => [name, started, ready]),
    [
      ['first', false, true],
      ['proxy', true, true],
      ['second', true, false],
    ],
  )
  await node.clock.advance(3000)
  const after = await node.pod('staged')
  assert.equal(after?.status?.phase, 'Running')
  assert.equal(condition(after, 'Ready'), 'True')
})

test('a missing image is ErrImagePull, then ImagePullBackOff', async (t) => {
  const node = await startSimulatedNode(t, { missingImage: (image) => image.includes('nowhere') })
  const seen = [
    state(await node.run('bad', { containers: [{ name: 'main', image: 'nowhere.test/x:1' }] }))?.waiting?.reason,
  ]
  for (let second = 0; second < 15; second++) {
    await node.clock.advance(1000)
    seen.push(state(await node.pod('bad'))?.waiting?.reason)
  }
  // It is pulled again after 10 s, and otherwise seen to wait.
  assert.deepEqual(
    seen.flatMap((reason, second) => (reason === 'ErrImagePull' ? [second] : [])),
    [0, 10],
  )
  assert.deepEqual(new Set(seen), new Set(['ErrImagePull', 'ImagePullBackOff']))
  const events = await node.eventsOf('bad')
  assert.ok(
    events.some((event) => event.startsWith('Warning Failed Failed to pull image "nowhere.test/x:1": ')),
    events.join('\n'),
  )
  assert.ok(events.includes('Warning Failed Error: ErrImagePull'))
})

test('a deleted pod is gone when its containers are', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('web', {})
  await node.client.delete(pods, { namespace: 'default', name: 'web' })
  await node.clock.settle()
  assert.equal(await node.pod('web'), undefined)
  assert.deepEqual(await node.runtime.listSandboxes(), [])
})

test('a pod waits for a secret, and starts when it comes', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('needy', {
    volumes: [{ name: 's', secret: { secretName: 'key' } }],
    containers: [{ name: 'main', volumeMounts: [{ name: 's', mountPath: '/s' }] }],
  })
  assert.equal(state(await node.pod('needy'))?.waiting?.reason, 'ContainerCreating')
  assert.ok(
    (await node.eventsOf('needy')).includes(
      'Warning FailedMount MountVolume.SetUp failed for volume "s" : secret "key" not found',
    ),
  )
  await node.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'default', name: 'key' },
    data: {},
  })
  await node.clock.advance(5000)
  assert.equal((await node.pod('needy'))?.status?.phase, 'Running')
})

test('a new kubelet adopts what runs, and restarts nothing', async (t) => {
  const node = await startSimulatedNode(t)
  const before = await node.run('web', { containers: [{ name: 'main', readinessProbe: { tcpSocket: { port: 80 } } }] })
  await node.clock.advance(2000)
  await node.restartKubelet()
  const after = await node.pod('web')
  assert.equal(after?.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID)
  assert.equal(after?.status?.containerStatuses?.[0]?.restartCount, 0)
  assert.equal(condition(after, 'Ready'), 'True')
})

test('what runs without a pod is ended by a new kubelet', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('web', {})
  await node.kubelet().close()
  await node.client.delete(pods, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
  await node.restartKubelet()
  await node.clock.advance(5000)
  assert.deepEqual(await node.runtime.listContainers(), [])
})

test('a pod may ask for what the node does not know of: the cluster counts it', async (t) => {
  const node = await startSimulatedNode(t)
  const pod = await node.run('web', {
    containers: [
      {
        name: 'c',
        image: 'example.test/app:1',
        resources: { requests: { 'example.com/license': '1' }, limits: { 'example.com/license': '1' } },
      },
    ],
  })
  assert.equal(pod.status?.phase, 'Running')
})

test('a pod that asks for more than the node has is refused', async (t) => {
  const node = await startSimulatedNode(t)
  const pod = await node.run('huge', { containers: [{ name: 'main', resources: { requests: { cpu: '100' } } }] })
  assert.equal(pod.status?.phase, 'Failed')
  assert.equal(pod.status?.reason, 'OutOfcpu')
  assert.equal(
    pod.status?.message,
    "Pod was rejected: Node didn't have enough resource: cpu, requested: 100000, used: 0, capacity: 8000",
  )
})

test('a pod that ends is no longer ready as soon as its probe says so', async (t) => {
  let ready = true
  const node = await startSimulatedNode(t, {
    host: {
      dial: {
        http: async () => ({ status: ready ? 200 : 503, body: '', redirectedAway: false }),
        tcp: async () => undefined,
        grpc: async () => 'SERVING',
      },
    },
  })
  await node.run('web', {
    terminationGracePeriodSeconds: 100,
    containers: [
      {
        name: 'main',
        readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 },
        lifecycle: { preStop: { sleep: { seconds: 60 } } },
      },
    ],
  })
  await node.clock.advance(3000)
  await node.client.delete(pods, { namespace: 'default', name: 'web' })
  await node.clock.advance(5000)
  assert.equal(condition(await node.pod('web'), 'Ready'), 'True')
  ready = false
  await node.clock.advance(5000)
  assert.equal(condition(await node.pod('web'), 'Ready'), 'False')
  await node.clock.advance(60_000)
  assert.equal(await node.pod('web'), undefined)
})

test('readiness is asked at once when the startup probe has succeeded', async (t) => {
  let started = false
  const node = await startSimulatedNode(t, {
    host: {
      dial: {
        http: async () => ({ status: started ? 200 : 500, body: '', redirectedAway: false }),
        tcp: async () => undefined,
        grpc: async () => 'SERVING',
      },
    },
  })
  await node.run('web', {
    containers: [
      {
        name: 'main',
        startupProbe: { httpGet: { port: 80 }, periodSeconds: 5, failureThreshold: 100 },
        readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 300 },
      },
    ],
  })
  await node.clock.advance(12_000)
  assert.equal(condition(await node.pod('web'), 'Ready'), 'False')
  started = true
  await node.clock.advance(6000)
  assert.equal(condition(await node.pod('web'), 'Ready'), 'True')
})

test('a failed liveness probe restarts the container', async (t) => {
  let healthy = true
  const node = await startSimulatedNode(t, {
    host: {
      dial: {
        http: async () => ({ status: healthy ? 200 : 500, body: '', redirectedAway: false }),
        tcp: async () => undefined,
        grpc: async () => 'SERVING',
      },
    },
  })
  await node.run('web', {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', livenessProbe: { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 3 } }],
  })
  await node.clock.advance(5000)
  assert.equal((await node.pod('web'))?.status?.containerStatuses?.[0]?.restartCount, 0)
  healthy = false
  await node.clock.advance(4000)
  healthy = true
  await node.clock.advance(2000)
  assert.equal((await node.pod('web'))?.status?.containerStatuses?.[0]?.restartCount, 1)
  const events = await node.eventsOf('web')
  assert.ok(events.includes('Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 500'))
  assert.ok(events.includes('Normal Killing Container main failed liveness probe, will be restarted'))
})

test('a pod fails when its deadline is over', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('late', { activeDeadlineSeconds: 30 })
  await node.clock.advance(31_000)
  const pod = await node.pod('late')
  assert.equal(pod?.status?.phase, 'Failed')
  assert.equal(pod?.status?.reason, 'DeadlineExceeded')
})
