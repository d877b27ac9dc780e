import assert from 'node:assert/strict'
import test from 'node:test'
import { realClock } from '../../base/clock.ts'
import { runtimeContract } from '../contract.ts'
import { decode, encode } from './codec.ts'
import { connectCri } from './cri-runtime.ts'

// A runtime of one's own, with an image that has a shell: KUBERNODE_TEST_CRI=/run/…/containerd.sock KUBERNODE_TEST_IMAGE=busybox:1
const [socket, image] = [process.env['KUBERNODE_TEST_CRI'], process.env['KUBERNODE_TEST_IMAGE']]

if (socket && image) {
  runtimeContract('containerd', async (t) => {
    const runtime = await connectCri({ socket, clock: realClock })
    t.after(async () => {
      for (const { id } of await runtime.listSandboxes({ labels: { 'io.kubernetes.pod.name': 'contract' } })) {
        await runtime.stopSandbox(id)
        await runtime.removeSandbox(id)
      }
      await runtime.close()
    })
    return { runtime, image, clock: realClock, pass: (ms) => realClock.sleep(ms) }
  })
}

test('a message is decoded as it was encoded', () => {
  const config = {
    metadata: { name: 'web', uid: 'u', namespace: 'default', attempt: 3 },
    labels: { a: 'b', empty: '' },
    portMappings: [{ protocol: 'UDP', containerPort: 53, hostPort: 0, hostIp: '::' }],
    linux: {
      cgroupParent: '/kubepods',
      securityContext: {
        runAsUser: { value: 0 },
        supplementalGroups: [0, 65_534, 2 ** 31],
        namespaceOptions: { network: 'NODE', pid: 'CONTAINER' },
      },
    },
  } as const
  const decoded = decode('PodSandboxConfig', encode('PodSandboxConfig', config)) as Record<string, unknown>
  assert.deepEqual(decoded['labels'], config.labels)
  assert.deepEqual(decoded['portMappings'], config.portMappings)
  const { securityContext } = decoded['linux'] as { securityContext: Record<string, unknown> }
  assert.deepEqual(securityContext['runAsUser'], { value: 0 }, 'a message that is there but empty stays')
  assert.deepEqual(securityContext['supplementalGroups'], [0, 65_534, 2 ** 31])
  assert.equal(securityContext['runAsGroup'], undefined)
})

test('64-bit numbers keep their sign and their size', () => {
  const resources = decode(
    'LinuxContainerResources',
    encode('LinuxContainerResources', { cpuQuota: -1, memoryLimitInBytes: 2 ** 40, oomScoreAdj: -997 }),
  ) as Record<string, unknown>
  assert.deepEqual(
    [resources['cpuQuota'], resources['memoryLimitInBytes'], resources['oomScoreAdj']],
    [-1, 2 ** 40, -997],
  )
})

test('an enumeration that this version does not know is its number', () => {
  const bytes = encode('Container', { id: 'x', state: '7' as 'CONTAINER_EXITED' })
  assert.equal(
    (decode('Container', Buffer.concat([bytes, Buffer.from([0x30, 7])])) as Record<string, unknown>)['state'],
    '7',
  )
})

test('a runtime that does not answer is said in one sentence', async () => {
  await assert.rejects(
    connectCri({ socket: '/nonexistent/containerd.sock', clock: realClock, requestTimeoutMs: 300 }),
    /no container runtime answers at \/nonexistent\/containerd.sock/,
  )
})
