import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container } from '../../generated/types/core-v1.ts'
import { containerAmounts, listOf, podAmounts } from './resource-sums.ts'

const resized = (asked: string, granted: string, holds: string, reason?: string) => ({
  spec: { containers: [asking(asked)], initContainers: [{ ...asking('100m'), name: 'i' }] },
  status: {
    containerStatuses: [
      { ...told('c'), allocatedResources: { cpu: granted }, resources: { requests: { cpu: holds } } },
      { ...told('i'), resources: { requests: { cpu: '9' } } },
    ],
    ...(reason && { conditions: [{ type: 'PodResizePending', status: 'True', reason }] }),
  },
})
const told = (name: string) => ({ name, image: '', imageID: '', ready: true, restartCount: 0 })
const asking = (cpu: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...more,
})
const sidecar = { restartPolicy: 'Always' }

for (const [name, containers, initContainers, cpu] of [
  ['containers add up', [asking('100m'), asking('1')], [], '1100m'],
  ['an init container that needs more counts instead', [asking('1')], [asking('3'), asking('2')], '3'],
  ['one that needs less does not', [asking('2')], [asking('1')], '2'],
  ['sidecars run beside the containers', [asking('1')], [asking('500m', sidecar), asking('200m', sidecar)], '1700m'],
  ['an init container runs beside the sidecars before it', [asking('1')], [asking('1', sidecar), asking('3')], '4'],
  ['and not beside those after it', [asking('1')], [asking('3'), asking('1', sidecar)], '3'],
  ['nothing is asked for', [{ name: 'c' }], [], undefined],
] as const)
  test(`what a Pod needs at its most: ${name}`, () =>
    assert.equal(listOf(containerAmounts({ spec: { containers, initContainers } }, 'requests'))['cpu'], cpu))

test('each resource has a peak of its own, in the notation of its first amount', () => {
  const small = { name: 'a', resources: { limits: { cpu: '2', memory: '1Gi' } } }
  const large = { name: 'b', resources: { limits: { cpu: '1', memory: '3Gi' } } }
  assert.deepEqual(listOf(containerAmounts({ spec: { containers: [small], initContainers: [large] } }, 'limits')), {
    cpu: '2',
    memory: '3Gi',
  })
})

test('what is set for the Pod as a whole wins, where a Pod can have it', () => {
  const resources = { requests: { cpu: '5', 'example.com/disks': '9' } }
  const spec = { containers: [asking('1')], resources }
  assert.deepEqual(listOf(podAmounts({ spec }, 'requests')), { cpu: '5' })
  assert.deepEqual(listOf(containerAmounts({ spec }, 'requests')), { cpu: '1' })
})

for (const [name, pod, cpu] of [
  ['grows counts with what it asks for', resized('3', '1', '1'), '3'],
  ['shrinks counts with what it was granted', resized('1', '3', '2'), '3'],
  ['shrinks counts with what it still holds', resized('1', '1', '2'), '2'],
  ['waits for room counts with what it asks for', resized('3', '1', '1', 'Deferred'), '3'],
  ['can never grow counts with what it has', resized('30', '1', '2', 'Infeasible'), '2'],
] as const)
  test(`a container that ${name}`, () => assert.equal(listOf(podAmounts(pod, 'requests'))['cpu'], cpu))
