import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { ContainerStatus } from '../../runtime/cri/generated/cri.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import { terminationMessage } from '../runtime-state/termination-message.ts'
import { aRunning, aState } from '../testing/pods.ts'
import { rotateLogs } from './rotate-logs.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-logs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a log that has grown is moved away, older ones are compressed, and the oldest go', async (t) => {
  const folder = await folderOf(t)
  const path = join(folder, '0.log')
  const clock = new VirtualClock()
  // Only what rotation uses of a runtime: it opens the log anew.
  const runtime = { reopenContainerLog: async () => writeFile(path, '') } as unknown as ContainerRuntime
  const options = {
    clock,
    log: silentLogger,
    random: seededRandom(1),
    metrics: new Metrics(),
    runtime,
    maxBytes: 10,
    maxFiles: 3,
  }
  for (let round = 0; round < 4; round++) {
    await appendFile(path, `round ${round} is long\n`)
    await rotateLogs([aState([aRunning('main', { logPath: path })])], options)
    await clock.advance(1000)
  }
  const files = (await readdir(folder)).sort()
  assert.deepEqual(files, ['0.log', '0.log.20260101-000002.gz', '0.log.20260101-000003'])
  assert.equal(gunzipSync(await readFile(join(folder, files[1]!))).toString(), 'round 2 is long\n')
  await rotateLogs([aState([aRunning('main', { logPath: path })])], options)
  assert.equal((await readdir(folder)).length, 3, 'a short log stays')
})

test('what a kubelet left that was killed while it compressed goes with the next turn', async (t) => {
  const folder = await folderOf(t)
  const path = join(folder, '0.log')
  for (const end of ['', '.20250101-000000', '.20250101-000000.gz', '.20250101-000001.gz.tmp', '.20250101-000001.tmp'])
    await writeFile(`${path}${end}`, 'a long log')
  const runtime = { reopenContainerLog: async () => writeFile(path, '') } as unknown as ContainerRuntime
  const deps = { clock: new VirtualClock(), log: silentLogger, random: seededRandom(1), metrics: new Metrics() }
  const options = { ...deps, runtime, maxBytes: 10, maxFiles: 5 }
  await rotateLogs([aState([aRunning('main', { logPath: path })])], options)
  assert.deepEqual((await readdir(folder)).sort(), ['0.log', '0.log.20250101-000000.gz', '0.log.20260101-000000'])
})

const status = (more: Partial<ContainerStatus>): ContainerStatus => ({
  id: 'x',
  state: 'CONTAINER_EXITED',
  createdAt: 0,
  startedAt: 0,
  finishedAt: 0,
  exitCode: 1,
  imageRef: '',
  reason: 'Error',
  message: '',
  labels: {},
  annotations: {},
  mounts: [],
  logPath: '',
  imageId: '',
  stopSignal: 'RUNTIME_DEFAULT',
  ...more,
})
const path = 'io.kubernetes.container.terminationMessagePath'
const policy = 'io.kubernetes.container.terminationMessagePolicy'
const mountOf = (hostPath: string): ContainerStatus['mounts'] => [
  {
    containerPath: '/dev/termination-log',
    hostPath,
    readonly: false,
    selinuxRelabel: false,
    propagation: 'PROPAGATION_PRIVATE',
    uidMappings: [],
    gidMappings: [],
    recursiveReadOnly: false,
    imageSubPath: '',
  },
]

test('a termination message is the end of its file', async (t) => {
  const file = join(await folderOf(t), 'message')
  await writeFile(file, `${'x'.repeat(5000)}end`)
  const message = await terminationMessage(
    status({ annotations: { [path]: '/dev/termination-log' }, mounts: mountOf(file) }),
  )
  assert.equal(message.length, 4096)
  assert.ok(message.endsWith('end'))
})

test('a container that failed without one speaks through its log, if it asked for that', async (t) => {
  const folder = await folderOf(t)
  const [file, logPath] = [join(folder, 'message'), join(folder, '0.log')]
  await writeFile(file, '')
  await writeFile(
    logPath,
    '2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:00Z stderr P tw\n2026-01-01T00:00:00Z stderr F o\n',
  )
  const fallback = { [path]: '/dev/termination-log', [policy]: 'FallbackToLogsOnError' }
  assert.equal(
    await terminationMessage(status({ annotations: fallback, mounts: mountOf(file), logPath })),
    'one\ntwo\n',
  )
  assert.equal(
    await terminationMessage(status({ annotations: fallback, mounts: mountOf(file), logPath, exitCode: 0 })),
    '',
  )
  assert.equal(
    await terminationMessage(
      status({ annotations: { [path]: '/dev/termination-log' }, mounts: mountOf(file), logPath }),
    ),
    '',
  )
})
