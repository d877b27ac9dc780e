import assert from 'node:assert/strict'
import test from 'node:test'
import type { ContainerStatus } from '../../api/generated/types/core-v1.ts'
import { aContainer, aPod } from '../testing/pods.ts'
import { podPhase } from './pod-phase.ts'

const status = (
  name: string,
  state: ContainerStatus['state'],
  lastState: ContainerStatus['lastState'] = {},
): ContainerStatus => ({ name, state: state ?? {}, lastState, ready: false, restartCount: 0, image: '', imageID: '' })
const running = (name: string, started = true) => ({ ...status(name, { running: {} }), started })
const ended = (name: string, exitCode: number) => status(name, { terminated: { exitCode } })
const waiting = (name: string, exitCode?: number) =>
  status(name, { waiting: {} }, exitCode === undefined ? {} : { terminated: { exitCode } })
const staged = aPod({ restartPolicy: 'Never', initContainers: [aContainer('i')] })
const sidecar = aPod({ restartPolicy: 'Never', initContainers: [aContainer('s', { restartPolicy: 'Always' })] })
const two = aPod({ containers: [aContainer('a'), aContainer('b')] })

for (const [name, pod, statuses, want] of [
  ['waits for its first container', aPod(), [waiting('main')], 'Pending'],
  ['runs', aPod(), [running('main')], 'Running'],
  ['is pending while one of two has never run', two, [running('a'), waiting('b')], 'Pending'],
  ['runs while a container waits to be restarted', aPod(), [waiting('main', 1)], 'Running'],
  ['runs between two successes that shall be repeated', aPod(), [ended('main', 0)], 'Running'],
  ['succeeds', aPod({ restartPolicy: 'Never' }), [ended('main', 0)], 'Succeeded'],
  ['fails', aPod({ restartPolicy: 'Never' }), [ended('main', 1)], 'Failed'],
  ['runs on failure until it succeeds', aPod({ restartPolicy: 'OnFailure' }), [ended('main', 1)], 'Running'],
  ['is pending while it is initialized', staged, [running('i'), waiting('main')], 'Pending'],
  ['fails with its initialization', staged, [ended('i', 1), waiting('main')], 'Failed'],
  ['is pending while a sidecar starts', sidecar, [running('s', false), waiting('main')], 'Pending'],
  ['succeeds although a sidecar was killed', sidecar, [ended('s', 137), ended('main', 0)], 'Succeeded'],
] as const) {
  test(`a pod ${name}`, () => assert.equal(podPhase(pod, { statuses, terminal: false, initialized: false }), want))
}

test('a pod that will not be started again succeeds or fails, whatever its policy', () => {
  assert.equal(podPhase(aPod(), { statuses: [ended('main', 0)], terminal: true, initialized: true }), 'Succeeded')
  assert.equal(podPhase(aPod(), { statuses: [ended('main', 137)], terminal: true, initialized: true }), 'Failed')
})
