import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Http2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
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

/** A runtime that knows its version, and what cgroup driver it uses when it was told so. */
async function aRuntime(t: TestContext, linux: { readonly cgroupDriver: 'SYSTEMD' | 'CGROUPFS' } | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-cri-'))
  const sessions = new Set<Http2Session>()
  const server = createServer()
    .on('session', (session) => void sessions.add(session))
    .on('stream', (stream, headers) => {
      const isVersion = headers[':path']?.endsWith('/Version')
      const known = isVersion || linux !== undefined
      const message = isVersion
        ? encode('VersionResponse', {})
        : encode('RuntimeConfigResponse', linux ? { linux } : {})
      const frame = Buffer.alloc(5)
      frame.writeUInt32BE(message.length, 1)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': known ? '0' : '12' }))
      stream.end(known ? Buffer.concat([frame, message]) : undefined)
      stream.resume()
    })
  const socket = join(folder, 'cri.sock')
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const runtime = await connectCri({ socket, clock: realClock })
  t.after(async () => {
    await runtime.close()
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true })
  })
  return runtime
}

for (const [says, linux, want] of [
  ['systemd', { cgroupDriver: 'SYSTEMD' }, 'systemd'],
  ['cgroupfs', { cgroupDriver: 'CGROUPFS' }, 'cgroupfs'],
  ['nothing, since it is of before', undefined, undefined],
] as const)
  test(`a runtime’s cgroup driver: it says ${says}`, async (t) =>
    assert.equal(await (await aRuntime(t, linux)).cgroupDriver(), want))

test('a runtime that does not answer is said in one sentence', async () => {
  await assert.rejects(
    connectCri({ socket: '/nonexistent/containerd.sock', clock: realClock, requestTimeoutMs: 300 }),
    /no container runtime answers at \/nonexistent\/containerd.sock/,
  )
})
