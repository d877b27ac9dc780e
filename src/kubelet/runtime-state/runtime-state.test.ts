import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'
import { aContainer, aPod } from '../testing/pods.ts'
import { containerAnnotations, containerLabels, sandboxLabels } from './labels.ts'
import { Pleg } from './pleg.ts'
import { RuntimeState } from './runtime-state.ts'

const pod = aPod({ terminationGracePeriodSeconds: 7, containers: [aContainer('main', { lifecycle: { preStop: { sleep: { seconds: 3 } } } })] })
const key = { uid: 'uid-1', name: 'web', namespace: 'default' }

async function world() {
  const clock = new VirtualClock()
  const runtime = new SimulatedRuntime({ clock, random: seededRandom(1) })
  const state = new RuntimeState({ runtime, terminationMessage: async () => 'last words' })
  const sandboxId = await runtime.runSandbox({ metadata: { ...key, attempt: 0 }, labels: sandboxLabels(pod) }, '')
  const container = pod.spec!.containers[0]!
  const start = async (command: string[]) => {
    const id = await runtime.createContainer(sandboxId, { metadata: { name: 'main', attempt: 0 }, command, labels: containerLabels(pod, container), annotations: containerAnnotations(pod, container, 4) })
    await runtime.startContainer(id)
    return id
  }
  return { clock, runtime, state, sandboxId, start }
}

test('everything that a kubelet needs of a pod is restored from the runtime', async () => {
  const { state, start } = await world()
  await start(['false'])
  const [container] = (await state.pod(key, state.mark())).containers
  assert.deepEqual([container?.name, container?.restartCount, container?.exitCode, container?.message], ['main', 4, 1, 'last words'])
  assert.deepEqual(container?.restored, { graceSeconds: 7, preStop: { sleep: { seconds: 3 } }, ports: [] })
})

test('what was read before a mark is not used after it', async () => {
  const { state, runtime, start } = await world()
  const id = await start(['sleep', '100'])
  const before = await state.pod(key, state.mark())
  runtime.exit(id, 9)
  assert.equal(await state.pod(key, 0), before, 'nobody asked for more')
  assert.equal((await state.pod(key, state.mark())).containers[0]?.exitCode, 9)
})

test('a relist tells what changed, and forgets what is gone', async () => {
  const { state, runtime, sandboxId, start } = await world()
  assert.deepEqual((await state.relist()).changed, ['uid-1'])
  assert.deepEqual((await state.relist()).changed, [])
  await start(['sleep', '100'])
  assert.deepEqual((await state.relist()).changed, ['uid-1'])
  await runtime.removeSandbox(sandboxId)
  assert.deepEqual((await state.relist()).changed, ['uid-1'])
  assert.equal(state.known('uid-1'), undefined)
})

test('a runtime without events is looked at often after a change, and seldom in calm', async () => {
  const { clock, runtime, state } = await world()
  // Silent, as containerd 1.6 is.
  runtime.events = () => {
    throw Object.assign(new Error('unknown method GetContainerEvents'), { code: 'Unimplemented' })
  }
  let looks = 0
  const stop = new AbortController()
  const pleg = new Pleg({ clock, log: silentLogger, random: seededRandom(1), metrics: new Metrics(), runtime, state, changed: () => undefined, looked: () => looks++ })
  await pleg.start(stop.signal)
  const during = async (ms: number) => {
    const before = looks
    await clock.advance(ms)
    return looks - before
  }
  const soon = await during(1000)
  assert.ok(soon >= 4 && soon <= 10, `${soon} looks in the first second`)
  await during(70_000)
  assert.equal(await during(10_000), 4)
  pleg.expectChange()
  assert.ok((await during(1000)) >= 4, 'close again when something was done')
  stop.abort()
})
