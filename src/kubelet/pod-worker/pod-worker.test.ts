import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { aContainer, aPod, aRunning, aState } from '../testing/pods.ts'
import { admit, type AdmissionSources } from './admission.ts'
import { BackOff, durationText } from './back-off.ts'
import { TerminationOrder } from './kill-pod.ts'
import { givenPod, grant, newResizeMemory, resizeNeed, settleResize } from './resize.ts'

test('a wait doubles up to its limit, and is forgotten after twice that', async () => {
  const clock = new VirtualClock()
  const backOff = new BackOff(clock, 10_000, 300_000)
  const delays = Array.from({ length: 7 }, () => {
    backOff.next('x', clock.now())
    return backOff.delayMs('x') / 1000
  })
  assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300])
  assert.ok(backOff.waits('x'))
  await clock.advance(300_000)
  assert.ok(!backOff.waits('x'))
  await clock.advance(301_000)
  backOff.next('x', clock.now())
  assert.equal(backOff.delayMs('x'), 10_000)
})

for (const [ms, want] of [
  [10_000, '10s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
  [3_600_000, '1h0m0s'],
] as const) {
  test(`${ms} ms read ${want}`, () => assert.equal(durationText(ms), want))
}

const calm = { memory: false, disk: false, pids: false }
const sources: AdmissionSources = {
  active: [],
  allocatable: { cpu: '2', memory: '1Gi', pods: '2' },
  node: { metadata: { name: 'n', labels: { zone: 'a' } } },
  allowedUnsafeSysctls: ['kernel.msg*'],
  pressures: calm,
}
const asking = (requests: Record<string, string>) =>
  aPod({ containers: [aContainer('main', { resources: { requests } })] })

for (const [name, pod, more, want] of [
  ['takes what fits', asking({ cpu: '2' }), {}, undefined],
  [
    'refuses what does not fit beside the others',
    asking({ cpu: '1500m' }),
    { active: [asking({ cpu: '1' })] },
    'OutOfcpu',
  ],
  ['refuses one pod too many', aPod(), { active: [aPod(), aPod()] }, 'OutOfpods'],
  [
    'refuses what it has too little of',
    asking({ 'example.test/gpu': '2' }),
    { allocatable: { ...sources.allocatable, 'example.test/gpu': '1' } },
    'OutOfexample.test/gpu',
  ],
  ['takes what asks for something that only the cluster counts', asking({ 'example.test/gpu': '1' }), {}, undefined],
  ['refuses a pod for another node', aPod({ nodeSelector: { zone: 'b' } }), {}, 'NodeAffinity'],
  [
    'takes a pod by its affinity',
    aPod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
          },
        },
      },
    }),
    {},
    undefined,
  ],
  [
    'refuses a port that is taken',
    aPod({ containers: [aContainer('main', { ports: [{ containerPort: 80, hostPort: 80 }] })] }),
    {
      active: [
        aPod({ containers: [aContainer('o', { ports: [{ containerPort: 1, hostPort: 80, hostIP: '10.0.0.1' }] })] }),
      ],
    },
    'NodePorts',
  ],
  [
    'takes the same port of another protocol',
    aPod({ containers: [aContainer('main', { ports: [{ containerPort: 80, hostPort: 80, protocol: 'UDP' }] })] }),
    { active: [aPod({ containers: [aContainer('o', { ports: [{ containerPort: 1, hostPort: 80 }] })] })] },
    undefined,
  ],
  [
    'refuses what its taints drive away',
    aPod(),
    { node: { metadata: {}, spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } } },
    'TaintToleration',
  ],
  [
    'takes what was only not to be scheduled',
    aPod(),
    { node: { metadata: {}, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } } },
    undefined,
  ],
  [
    'refuses an unsafe sysctl',
    aPod({ securityContext: { sysctls: [{ name: 'kernel.sem', value: '1' }] } }),
    {},
    'SysctlForbidden',
  ],
  [
    'takes one that is allowed',
    aPod({ securityContext: { sysctls: [{ name: 'kernel/msgmax', value: '1' }] } }),
    {},
    undefined,
  ],
  ['refuses best-effort pods while memory is short', aPod(), { pressures: { ...calm, memory: true } }, 'Evicted'],
  ['takes others then', asking({ memory: '1Mi' }), { pressures: { ...calm, memory: true } }, undefined],
  [
    'refuses those too while there are no process ids',
    asking({ memory: '1Mi' }),
    { pressures: { ...calm, pids: true } },
    'Evicted',
  ],
  [
    'takes critical ones all the same',
    aPod({ priority: 2_000_000_000 }),
    { pressures: { ...calm, disk: true } },
    undefined,
  ],
] as const) {
  test(`a node ${name}`, () =>
    assert.equal(
      admit(pod as Parameters<typeof admit>[0], { ...sources, ...(more as Partial<AdmissionSources>) })?.reason,
      want,
    ))
}

test('sidecars end after the containers, the last one first', async () => {
  const clock = new VirtualClock()
  const pod = aPod({
    initContainers: [aContainer('s1', { restartPolicy: 'Always' }), aContainer('s2', { restartPolicy: 'Always' })],
  })
  const order = new TerminationOrder(
    pod,
    ['main', 's1', 's2'].map((name) => aRunning(name)),
  )
  const turns: string[] = []
  const end = async (name: string, ms: number) => {
    await order.waitForTurn(name, 30, clock)
    turns.push(name)
    await clock.sleep(ms)
    order.ended(name)
  }
  const all = Promise.all([end('s1', 0), end('s2', 1000), end('main', 1000)])
  await clock.advance(3000)
  await all
  assert.deepEqual(turns, ['main', 's2', 's1'])
})

test('a sidecar does not wait longer than its grace', async () => {
  const clock = new VirtualClock()
  const order = new TerminationOrder(aPod({ initContainers: [aContainer('s', { restartPolicy: 'Always' })] }), [
    aRunning('main'),
    aRunning('s'),
  ])
  const waited = order.waitForTurn('s', 5, clock)
  await clock.advance(6000)
  assert.equal(await waited, 5)
})

const sized = (cpu: string, generation: number, more: object = {}) =>
  aPod(
    { containers: [aContainer('main', { resources: { requests: { cpu }, limits: { cpu } }, ...more })] },
    { generation },
  )

async function resized(to: string, fits: boolean) {
  const memory = newResizeMemory()
  const events: string[] = []
  const shared = {
    state: aState([aRunning('main')]),
    allocatable: { cpu: '4', memory: '1Gi' },
    fits: async () => (fits ? undefined : { reason: 'OutOfcpu', message: 'no room' }),
    nowMs: 0,
    event: (_: string, reason: string) => events.push(reason),
  }
  await grant(sized('1', 1), memory, shared)
  memory.given.set('id-main', { requests: { cpu: '1' }, limits: { cpu: '1' } })
  const pod = await grant(sized(to, 2), memory, shared)
  return { memory, events, pod, cpu: pod.spec?.containers[0]?.resources?.limits?.['cpu'] }
}

test('a resize that fits is granted, and done when the container has it', async () => {
  const { memory, events, pod, cpu } = await resized('2', true)
  assert.equal(cpu, '2')
  assert.equal(memory.inProgress?.type, 'PodResizeInProgress')
  const event = (_: string, reason: string) => events.push(reason)
  settleResize(pod, aState([aRunning('main')]), memory, event)
  assert.deepEqual(events, ['ResizeStarted'])
  memory.given.set('id-main', pod.spec!.containers[0]!.resources!)
  settleResize(pod, aState([aRunning('main')]), memory, event)
  assert.deepEqual(events, ['ResizeStarted', 'ResizeCompleted'])
  assert.equal(memory.inProgress, undefined)
})

for (const [to, fits, reason] of [
  ['2', false, 'Deferred'],
  ['100', true, 'Infeasible'],
] as const) {
  test(`a resize to ${to} that ${fits ? 'no node has' : 'finds no room'} is ${reason}, and the pod keeps what it has`, async () => {
    const { memory, cpu, events } = await resized(to, fits)
    assert.equal(cpu, '1')
    assert.equal(memory.pending?.reason, reason)
    assert.deepEqual(events, [`Resize${reason}`])
  })
}

test('the same amount in other words is no resize', async () => {
  const { events } = await resized('1000m', false)
  assert.deepEqual(events, [])
})

test('a policy may ask for a restart', () => {
  const given = { requests: { cpu: '1' }, limits: { cpu: '1' } }
  assert.equal(resizeNeed(sized('2', 1).spec!.containers[0]!, given), 'update')
  assert.equal(
    resizeNeed(
      sized('2', 1, { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }).spec!
        .containers[0]!,
      given,
    ),
    'restart',
  )
  assert.equal(
    resizeNeed(
      sized('2', 1, { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }).spec!
        .containers[0]!,
      given,
    ),
    'update',
  )
})

test('a new kubelet takes what the status shows for what containers were given', () => {
  const pod = {
    ...sized('2', 2),
    status: {
      containerStatuses: [
        {
          name: 'main',
          containerID: 'containerd://id-main',
          resources: { limits: { cpu: '1' } },
          ready: true,
          restartCount: 0,
          image: '',
          imageID: '',
        },
      ],
    },
  }
  assert.deepEqual(givenPod(pod, aState([aRunning('main')]), newResizeMemory()).spec?.containers[0]?.resources, {
    limits: { cpu: '1' },
  })
})
