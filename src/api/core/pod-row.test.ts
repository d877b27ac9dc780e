import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState, ContainerStatus, Pod, PodSpec, PodStatus } from '../generated/types/core-v1.ts'
import { podRow, podRowConditions } from './pod-row.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const at = (minutesAgo: number) => new Date(nowMs - minutesAgo * 60_000).toISOString()

const container = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: 'x',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  ...more,
})
const running = (name = 'main', more: Partial<ContainerStatus> = {}) =>
  container(name, { running: {} }, { ready: true, started: true, ...more })
const waiting = (reason: string, name = 'main', more: Partial<ContainerStatus> = {}) =>
  container(name, { waiting: { reason } }, more)
const ended = (exitCode: number, more: { reason?: string; signal?: number } = {}, name = 'main') =>
  container(name, { terminated: { exitCode, ...more } })

function pod(status: PodStatus, { spec, metadata }: { spec?: Partial<PodSpec>; metadata?: object } = {}): Pod {
  return {
    metadata: { name: 'p', creationTimestamp: at(90), ...metadata },
    spec: { containers: [{ name: 'main', image: 'x' }], ...spec },
    status,
  }
}

/** Ready, status and restarts. */
const shown = (object: Pod): string => podRow(object, nowMs).slice(1, 4).join(' ')

const init = (...names: string[]) => ({
  initContainers: names.map((name) => ({
    name,
    image: 'x',
    ...(name.startsWith('sidecar') && { restartPolicy: 'Always' }),
  })),
})

test('a Pod that runs shows how many containers are ready, its age and where it is', () => {
  const object = pod(
    { phase: 'Running', containerStatuses: [running()], podIPs: [{ ip: '10.0.0.1' }] },
    { spec: { nodeName: 'n' } },
  )
  assert.deepEqual(podRow(object, nowMs), ['p', '1/1', 'Running', '0', '90m', '10.0.0.1', 'n', '<none>', '<none>'])
})

test('the status is what the containers say', () => {
  const cases: [Pod, string][] = [
    [pod({ phase: 'Pending' }), '0/1 Pending 0'],
    [
      pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      '0/1 SchedulingGated 0',
    ],
    [pod({ phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0'],
    [pod({ phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] }), '0/1 ContainerCreating 0'],
    [pod({ phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] }), '0/1 ImagePullBackOff 0'],
    [pod({ phase: 'Succeeded', containerStatuses: [ended(0, { reason: 'Completed' })] }), '0/1 Completed 0'],
    [pod({ phase: 'Failed', containerStatuses: [ended(1, { reason: 'Error' })] }), '0/1 Error 0'],
    [pod({ phase: 'Failed', containerStatuses: [ended(137, { signal: 9 })] }), '0/1 Signal:9 0'],
    [pod({ phase: 'Failed', containerStatuses: [ended(3)] }), '0/1 ExitCode:3 0'],
    [
      pod({
        phase: 'Running',
        containerStatuses: [
          waiting('CrashLoopBackOff', 'main', {
            restartCount: 3,
            lastState: { terminated: { exitCode: 1, finishedAt: at(5) } },
          }),
        ],
      }),
      '0/1 CrashLoopBackOff 3 (5m ago)',
    ],
  ]
  for (const [object, text] of cases) assert.equal(shown(object), text)
})

test('of several containers the first that does not run counts, and one that completed does not hide one that runs', () => {
  const two = {
    spec: {
      containers: [
        { name: 'main', image: 'x' },
        { name: 'second', image: 'x' },
      ],
    },
  }
  const done = ended(0, { reason: 'Completed' })
  assert.equal(
    shown(
      pod(
        {
          phase: 'Running',
          containerStatuses: [done, running('second')],
          conditions: [{ type: 'Ready', status: 'True' }],
        },
        two,
      ),
    ),
    '1/2 Running 0',
  )
  assert.equal(shown(pod({ phase: 'Running', containerStatuses: [done, running('second')] }, two)), '1/2 NotReady 0')
  assert.equal(
    shown(pod({ phase: 'Failed', containerStatuses: [done, ended(1, { reason: 'Error' }, 'second')] }, two)),
    '0/2 Error 0',
  )
})

test('init containers show how far they are, or what holds them up', () => {
  const status = (...initContainerStatuses: ContainerStatus[]): PodStatus => ({
    phase: 'Pending',
    initContainerStatuses,
    containerStatuses: [waiting('PodInitializing')],
  })
  assert.equal(
    shown(pod(status(ended(0, {}, 'a'), container('b', { running: {} })), { spec: init('a', 'b') })),
    '0/1 Init:1/2 0',
  )
  assert.equal(shown(pod(status(waiting('PodInitializing', 'a')), { spec: init('a') })), '0/1 Init:0/1 0')
  assert.equal(
    shown(pod(status(waiting('CrashLoopBackOff', 'a', { restartCount: 2 })), { spec: init('a') })),
    '0/1 Init:CrashLoopBackOff 2',
  )
  assert.equal(shown(pod(status(ended(1, { reason: 'Error' }, 'a')), { spec: init('a') })), '0/1 Init:Error 0')
  assert.equal(shown(pod(status(ended(2, {}, 'a')), { spec: init('a') })), '0/1 Init:ExitCode:2 0')
  assert.equal(shown(pod(status(ended(0, {}, 'a')), { spec: init('a') })), '0/1 PodInitializing 0')
})

test('sidecars count among the ready, and their restarts among the restarts', () => {
  const sidecar = running('sidecar', {
    restartCount: 1,
    lastState: { terminated: { exitCode: 0, finishedAt: at(30) } },
  })
  assert.equal(
    shown(
      pod(
        { phase: 'Running', initContainerStatuses: [sidecar], containerStatuses: [running()] },
        { spec: init('sidecar') },
      ),
    ),
    '2/2 Running 1 (30m ago)',
  )
  assert.equal(
    shown(
      pod(
        { phase: 'Pending', initContainerStatuses: [sidecar, waiting('PodInitializing', 'b')], containerStatuses: [] },
        { spec: init('sidecar', 'b') },
      ),
    ),
    '1/2 Init:1/2 1 (30m ago)',
  )
})

test('a Pod that is deleted is terminating, unless it is done or its node is lost', () => {
  const metadata = { deletionTimestamp: at(1) }
  assert.equal(shown(pod({ phase: 'Running', containerStatuses: [running()] }, { metadata })), '1/1 Terminating 0')
  assert.equal(
    shown(pod({ phase: 'Running', reason: 'NodeLost', containerStatuses: [running()] }, { metadata })),
    '1/1 Unknown 0',
  )
  assert.equal(
    shown(pod({ phase: 'Succeeded', containerStatuses: [ended(0, { reason: 'Completed' })] }, { metadata })),
    '0/1 Completed 0',
  )
})

test('readiness gates show how many are open, and rows of Pods that are done say so', () => {
  const gated = pod(
    {
      phase: 'Running',
      conditions: [
        { type: 'a', status: 'True' },
        { type: 'b', status: 'False' },
      ],
    },
    { spec: { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }, { conditionType: 'c' }] } },
  )
  assert.equal(podRow(gated, nowMs).at(-1), '1/3')
  assert.equal(podRowConditions(gated), undefined)
  assert.equal(podRowConditions(pod({ phase: 'Succeeded' }))?.[0]?.reason, 'Succeeded')
})
