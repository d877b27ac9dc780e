import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed, created } from '../kinds.test-support.ts'
import type { ContainerStatus, Pod, PodStatus } from '../generated/types/core-v1.ts'

const ended = (name: string): ContainerStatus => ({
  name,
  image: 'x',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode: 1 } },
})
const running = (name: string): ContainerStatus => ({ ...ended(name), state: { running: {} } })

/** A Pod of a container, an init container, a sidecar and one for debugging, all of which have ended. */
function endedPod(restartPolicy: string): Pod {
  const { object } = created<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n' },
    spec: {
      nodeName: 'node',
      restartPolicy,
      containers: [{ name: 'c', image: 'x' }],
      initContainers: [
        { name: 'i', image: 'x' },
        { name: 's', image: 'x', restartPolicy: 'Always' },
      ],
      ephemeralContainers: [{ name: 'e', image: 'x' }],
    },
  })
  return {
    ...object,
    status: {
      ...object.status,
      containerStatuses: [ended('c')],
      initContainerStatuses: [ended('i'), ended('s')],
      ephemeralContainerStatuses: [ended('e')],
    },
  }
}

const told = (pod: Pod, status: Partial<PodStatus>) =>
  changed(pod, (draft: Pod) => Object.assign(draft.status ?? {}, status), 'status').errors

const allRun: Partial<PodStatus> = {
  containerStatuses: [running('c')],
  initContainerStatuses: [running('i'), running('s')],
  ephemeralContainerStatuses: [running('e')],
}
const why = 'Forbidden: may not be transitioned to non-terminated state'

test('a container that has ended runs again only where its policy or the Pod’s says so, and one for debugging never', () => {
  assert.deepEqual(told(endedPod('Always'), allRun), [`status.ephemeralContainerStatuses[0].state: ${why}`])
  assert.deepEqual(told(endedPod('Never'), allRun), [
    `status.containerStatuses[0].state: ${why}`,
    `status.initContainerStatuses[0].state: ${why}`,
    `status.ephemeralContainerStatuses[0].state: ${why}`,
  ])
})

test('a Pod that has a node is nominated for no other', () => {
  assert.deepEqual(told(endedPod('Always'), { nominatedNodeName: 'other' }), [
    'status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
  ])
})
