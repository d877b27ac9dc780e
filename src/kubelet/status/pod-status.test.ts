import assert from 'node:assert/strict'
import test from 'node:test'
import type { PodStatus } from '../../api/generated/types/core-v1.ts'
import type { PodState } from '../runtime-state/pod-state.ts'
import { aContainer, anExited, aPod, aRunning, aState } from '../testing/pods.ts'
import { podStatus, withPhaseHeld, type PodStatusSources } from './pod-status.ts'
import { same, statusPatch } from './status-patch.ts'

const sources = (state: PodState, more: Partial<PodStatusSources> = {}): PodStatusSources => ({
  state,
  previous: {},
  waits: new Map(),
  probes: { readiness: () => undefined, startup: () => undefined },
  runtimeName: 'containerd',
  hostIps: ['192.168.0.1'],
  terminal: false,
  failed: undefined,
  nowText: '2026-01-01T00:00:00Z',
  given: () => undefined,
  resize: [],
  ...more,
})

const conditions = (status: PodStatus) =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: value, reason, message }) => [
      type,
      [value, reason, message].filter(Boolean).join(' '),
    ]),
  )

test('a running pod is ready, with its addresses', () => {
  const status = podStatus(aPod(), sources(aState([aRunning('main')])))
  assert.deepEqual(conditions(status), {
    PodReadyToStartContainers: 'True',
    Initialized: 'True',
    Ready: 'True',
    ContainersReady: 'True',
    PodScheduled: 'True',
  })
  assert.deepEqual(
    [status.phase, status.podIP, status.hostIP, status.qosClass],
    ['Running', '10.0.0.1', '192.168.0.1', 'BestEffort'],
  )
  assert.equal(status.containerStatuses?.[0]?.containerID, 'containerd://id-main')
})

test('a readiness probe decides whether a container is ready', () => {
  const pod = aPod({ containers: [aContainer('main', { readinessProbe: {} })] })
  const unready = podStatus(pod, sources(aState([aRunning('main')])))
  assert.equal(conditions(unready)['Ready'], 'False ContainersNotReady containers with unready status: [main]')
  const ready = podStatus(
    pod,
    sources(aState([aRunning('main')]), { probes: { readiness: () => 'success', startup: () => undefined } }),
  )
  assert.equal(conditions(ready)['Ready'], 'True')
})

test('readiness gates hold a pod back until their condition is true', () => {
  const pod = aPod({ readinessGates: [{ conditionType: 'example.test/ok' }] })
  assert.equal(
    conditions(podStatus(pod, sources(aState([aRunning('main')]))))['Ready'],
    'False ReadinessGatesNotReady corresponding condition of pod readiness gate "example.test/ok" does not exist.',
  )
  const open = { ...pod, status: { conditions: [{ type: 'example.test/ok', status: 'True' }] } }
  const status = podStatus(open, sources(aState([aRunning('main')])))
  assert.equal(conditions(status)['Ready'], 'True')
  assert.equal(conditions(status)['example.test/ok'], 'True', "another's condition is kept")
})

test('why a container waits is shown, and how it ended before', () => {
  const waits = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
  const { containerStatuses } = podStatus(
    aPod(),
    sources(aState([anExited('main', 3, { restartCount: 2 })]), { waits }),
  )
  const [status] = containerStatuses ?? []
  assert.deepEqual(status?.state, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } })
  assert.equal(status?.lastState?.terminated?.exitCode, 3)
  assert.equal(status?.restartCount, 2)
})

test('a container that ran and is lost is said to have ended', () => {
  const previous = podStatus(aPod(), sources(aState([aRunning('main')])))
  const { containerStatuses, phase } = podStatus(aPod(), sources(aState([]), { previous }))
  assert.equal(containerStatuses?.[0]?.lastState?.terminated?.reason, 'ContainerStatusUnknown')
  assert.equal(containerStatuses?.[0]?.restartCount, 1)
  assert.equal(phase, 'Running', 'it does not go back to Pending')
})

test('a pod never leaves its last phase', () => {
  const pod = { ...aPod(), status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }
  const status = podStatus(pod, sources(aState([aRunning('main')]), { previous: pod.status }))
  assert.deepEqual([status.phase, status.reason, status.message], ['Failed', 'Evicted', 'low on memory'])
})

test('a pod that has ended keeps its address and its time of start', () => {
  const previous = podStatus(aPod(), sources(aState([aRunning('main')])))
  const after = podStatus(
    aPod(),
    sources(aState([anExited('main', 0)], []), { previous, terminal: true, nowText: '2026-01-02T00:00:00Z' }),
  )
  assert.deepEqual([after.podIP, after.startTime, after.phase], ['10.0.0.1', '2026-01-01T00:00:00Z', 'Succeeded'])
})

test('an evicted pod carries the condition that says so', () => {
  const failed = {
    reason: 'Evicted',
    message: 'The node was low on resource: memory.',
    disruption: 'TerminationByKubelet',
  }
  const status = podStatus(aPod(), sources(aState([aRunning('main')]), { failed }))
  assert.equal(
    conditions(status)['DisruptionTarget'],
    'True TerminationByKubelet The node was low on resource: memory.',
  )
  assert.deepEqual([status.phase, status.reason], ['Failed', 'Evicted'])
})

test('a pod has not failed before its containers have ended', () => {
  const failed = { reason: 'Evicted', message: 'm' }
  const status = podStatus(aPod(), sources(aState([aRunning('main')]), { failed }))
  assert.deepEqual(
    [status.phase, withPhaseHeld(status, { before: { phase: 'Running' }, state: aState([aRunning('main')]) }).phase],
    ['Failed', 'Running'],
  )
  const { phase, reason } = withPhaseHeld(status, {
    before: { phase: 'Running' },
    state: aState([anExited('main', 137)]),
  })
  assert.deepEqual([phase, reason], ['Failed', 'Evicted'])
})

test('a condition keeps its time while it stays as it is', () => {
  const previous = podStatus(aPod(), sources(aState([aRunning('main')])))
  const after = podStatus(aPod(), sources(aState([anExited('main', 1)]), { previous, nowText: '2026-01-02T00:00:00Z' }))
  const times = Object.fromEntries(
    (after.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
  )
  assert.equal(times['PodScheduled'], '2026-01-01T00:00:00Z')
  assert.equal(times['Ready'], '2026-01-02T00:00:00Z')
})

test('nothing is patched when nothing differs', () => {
  const status = podStatus(aPod(), sources(aState([aRunning('main')])))
  assert.equal(statusPatch('uid-1', status, structuredClone(status)), undefined)
})

test("a patch has what differs, and leaves others' conditions alone", () => {
  const from = {
    phase: 'Pending',
    message: 'old',
    podIPs: [{ ip: '10.0.0.1' }],
    conditions: [
      { type: 'Ready', status: 'False' },
      { type: 'example.test/x', status: 'True' },
    ],
  }
  const to = { phase: 'Running', podIPs: [{ ip: '10.0.0.2' }], conditions: [{ type: 'Ready', status: 'True' }] }
  assert.deepEqual(statusPatch('uid-1', from, to), {
    metadata: { uid: 'uid-1' },
    status: {
      phase: 'Running',
      message: null,
      podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.2' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  })
})

for (const [a, b, want] of [
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: null }, {}, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: [] }, { a: {} }, false],
  [[], undefined, false],
] as const) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)} are ${want ? 'the same' : 'different'}`, () =>
    assert.equal(same(a, b), want))
}
