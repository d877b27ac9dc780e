import assert from 'node:assert/strict'
import test from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodState } from '../runtime-state/pod-state.ts'
import { specHash } from '../runtime-state/spec-hash.ts'
import { aContainer, anExited, aPod, aRunning, aSandbox, aState } from '../testing/pods.ts'
import { decide, type PlanInputs, type ProbeOutcome } from './plan.ts'

interface Probes {
  readonly liveness?: Record<string, ProbeOutcome>
  readonly startup?: Record<string, ProbeOutcome>
}

const inputs = (
  { liveness = {}, startup = {} }: Probes = {},
  resize: 'none' | 'update' | 'restart' = 'none',
): PlanInputs => ({
  probes: { liveness: (id) => liveness[id], startup: (id) => startup[id] },
  hashOf: specHash,
  resizeOf: () => resize,
})

/** A plan as a table shows it. */
function short(pod: Pod, state: PodState, given = inputs()) {
  const plan = decide(pod, state, given)
  return [
    ...(plan.killPod ? ['kill pod'] : []),
    ...plan.kill.map(({ container, reason }) => `kill ${container.name}${reason && ` for ${reason}`}`),
    ...(plan.createSandbox ? [`sandbox ${plan.createSandbox.attempt}`] : []),
    ...plan.startEphemeral.map(({ name }) => `start ephemeral ${name}`),
    ...plan.startInit.map(({ name }) => `start init ${name}`),
    ...plan.update.map(({ container }) => `update ${container.name}`),
    ...plan.start.map(({ name }) => `start ${name}`),
  ]
}

const never = aPod({ restartPolicy: 'Never' })
const onFailure = aPod({ restartPolicy: 'OnFailure' })
const two = aPod({ restartPolicy: 'Never', containers: [aContainer('a'), aContainer('b')] })
const staged = aPod({ initContainers: [aContainer('i1'), aContainer('i2')] })
const sidecar = aPod({
  initContainers: [aContainer('i1'), aContainer('side', { restartPolicy: 'Always' }), aContainer('i2')],
})
const probed = aPod({
  initContainers: [aContainer('side', { restartPolicy: 'Always', startupProbe: {}, livenessProbe: {} })],
})
const gone = aSandbox({ ready: false })

for (const [name, pod, state, want] of [
  ['makes a sandbox for a new pod', aPod(), aState([], []), ['kill pod', 'sandbox 0', 'start main']],
  [
    'begins a new pod with its first init container',
    staged,
    aState([], []),
    ['kill pod', 'sandbox 0', 'start init i1'],
  ],
  ['leaves alone what runs', aPod(), aState([aRunning('main')]), []],
  ['starts what is missing', aPod(), aState([]), ['start main']],
  ['restarts what failed', aPod(), aState([anExited('main', 1)]), ['start main']],
  ['restarts what succeeded, where it shall always run', aPod(), aState([anExited('main', 0)]), ['start main']],
  ['restarts on failure only what failed', onFailure, aState([anExited('main', 1)]), ['start main']],
  ['is done on failure when it succeeded', onFailure, aState([anExited('main', 0)]), ['kill pod']],
  ['never restarts', never, aState([anExited('main', 1)]), ['kill pod']],
  ['keeps the pod while one of two runs', two, aState([anExited('a', 1), aRunning('b')]), []],
  [
    'kills a container in an unknown state before it starts anew',
    aPod(),
    aState([aRunning('main', { phase: 'unknown' })]),
    ['kill main for Unknown', 'start main'],
  ],
  [
    'replaces a sandbox that died',
    aPod(),
    aState([anExited('main', 1)], [gone]),
    ['kill pod', 'sandbox 1', 'start main'],
  ],
  ['makes no sandbox for a pod that is done', never, aState([anExited('main', 0)], [gone]), ['kill pod']],
  ['makes no sandbox on failure when all succeeded', onFailure, aState([anExited('main', 0)], [gone]), ['kill pod']],
  [
    'replaces a sandbox of another network',
    aPod({ hostNetwork: true }),
    aState([aRunning('main')]),
    ['kill pod', 'sandbox 1', 'start main'],
  ],
  [
    'replaces a sandbox without an address',
    aPod(),
    aState([], [aSandbox({ ips: [] })]),
    ['kill pod', 'sandbox 1', 'start main'],
  ],
  [
    'replaces two sandboxes by one',
    aPod(),
    aState([], [aSandbox({ attempt: 1 }), aSandbox()]),
    ['kill pod', 'sandbox 2', 'start main'],
  ],
  [
    'restarts a container whose image changed',
    aPod({ restartPolicy: 'Never', containers: [aContainer('main', { image: 'i:2' })] }),
    aState([aRunning('main')]),
    ['kill main', 'start main'],
  ],
  ['waits for a running init container', staged, aState([aRunning('i1')]), []],
  ['goes on after an init container', staged, aState([anExited('i1', 0)]), ['start init i2']],
  [
    'starts the containers after the last init container',
    staged,
    aState([anExited('i2', 0), anExited('i1', 0)]),
    ['start main'],
  ],
  ['repeats a failed init container', staged, aState([anExited('i1', 1)]), ['start init i1']],
  [
    'fails with an init container that may not be repeated',
    aPod({ restartPolicy: 'Never', initContainers: [aContainer('i1')] }),
    aState([anExited('i1', 1)]),
    ['kill pod'],
  ],
  ['does not initialize twice when the runtime forgot', staged, aState([aRunning('main')]), []],
  ['goes on beside a running sidecar', sidecar, aState([aRunning('side'), anExited('i1', 0)]), ['start init i2']],
  ['restarts a sidecar that ended', sidecar, aState([aRunning('main'), anExited('side', 0)]), ['start init side']],
  [
    'ends the sidecars of a pod that is done',
    aPod({ restartPolicy: 'Never', initContainers: [aContainer('side', { restartPolicy: 'Always' })] }),
    aState([anExited('main', 0), aRunning('side')]),
    ['kill pod'],
  ],
  ['waits for a sidecar that has not started', probed, aState([aRunning('side')]), []],
  [
    'starts ephemeral containers at any time',
    aPod({ initContainers: [aContainer('i1')], ephemeralContainers: [{ name: 'debug', image: 'd:1' }] }),
    aState([aRunning('i1')]),
    ['start ephemeral debug'],
  ],
  [
    'starts nothing of a pod that is deleted',
    aPod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    aState([anExited('main', 1)]),
    ['kill pod'],
  ],
  [
    'restarts by the rules of a container',
    aPod({
      restartPolicy: 'Never',
      containers: [
        aContainer('main', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    aState([anExited('main', 42)]),
    ['start main'],
  ],
  [
    'keeps to the policy where no rule fits',
    aPod({
      restartPolicy: 'Never',
      containers: [
        aContainer('main', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    aState([anExited('main', 1)]),
    ['kill pod'],
  ],
] as const) {
  test(`decide ${name}`, () => assert.deepEqual(short(pod, state), want))
}

test('a failed liveness probe restarts, and the message says so', () => {
  const { kill, start } = decide(aPod(), aState([aRunning('main')]), inputs({ liveness: { 'id-main': 'failure' } }))
  assert.deepEqual(
    kill.map(({ message, reason }) => [message, reason]),
    [['Container main failed liveness probe, will be restarted', 'LivenessProbe']],
  )
  assert.equal(start.length, 1)
})

test('a failed liveness probe of a pod that never restarts ends it', () => {
  assert.deepEqual(short(never, aState([aRunning('main')]), inputs({ liveness: { 'id-main': 'failure' } })), [
    'kill pod',
    'kill main for LivenessProbe',
  ])
})

test('a sidecar that has started lets the containers start', () => {
  assert.deepEqual(short(probed, aState([aRunning('side')]), inputs({ startup: { 'id-side': 'success' } })), [
    'start main',
  ])
})

test('a sidecar whose startup probe failed is restarted', () => {
  assert.deepEqual(short(probed, aState([aRunning('side')]), inputs({ startup: { 'id-side': 'failure' } })), [
    'kill side for StartupProbe',
    'start init side',
  ])
})

test('a resize is an update in place, or a restart', () => {
  assert.deepEqual(short(aPod(), aState([aRunning('main')]), inputs({}, 'update')), ['update main'])
  assert.deepEqual(short(never, aState([aRunning('main')]), inputs({}, 'restart')), [
    'kill main for Resize',
    'start main',
  ])
})
