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

const pod = aPod({
  terminationGracePeriodSeconds: 7,
  containers: [aContainer('main', { lifecycle: { preStop: { sleep: { seconds: 3 } } } })],
})
const key = { uid: 'uid-1', name: 'web', namespace: 'default' }

async function world() {
  const clock = new VirtualClock()
  const runtime = new SimulatedRuntime({ clock, random: seededRandom(1) })
  const state = new RuntimeState({ runtime, terminationMessage: async () => 'last words' })
  const sandboxId = await runtime.runSandbox({ metadata: { ...key, attempt: 0 }, labels: sandboxLabels(pod) }, '')
  const container = pod.spec!.containers[0]!
  const start = async (command: string[]) => {
    const id = await runtime.createContainer(sandboxId, {
      metadata: { name: 'main', attempt: 0 },
      command,
      labels: containerLabels(pod, container),
      annotations: containerAnnotations(pod, container, 4),
    })
    await runtime.startContainer(id)
    return id
  }
  return { clock, runtime, state, sandboxId, start }
}

test('everything that a kubelet needs of a pod is restored from the runtime', async () => {
  const { state, start } = await world()
  await start(['false'])
  const [container] = (await state.pod(key, state.mark())).containers
  assert.deepEqual(
    [container?.name, container?.restartCount, container?.exitCode, container?.message],
    ['main', 4, 1, 'last words'],
  )
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

test('of a pod that a look at everything did not find, nothing is asked until its worker has done something', async (t) => {
  const { state, runtime } = await world()
  await state.relist()
  const asked = t.mock.method(runtime, 'listSandboxes')
  const other = { uid: 'uid-2', name: 'new', namespace: 'default' }
  assert.deepEqual((await state.pod(other, 0)).sandboxes, [])
  assert.equal(asked.mock.callCount(), 0)
  const id = await runtime.runSandbox(
    { metadata: { ...other, attempt: 0 }, labels: { 'io.kubernetes.pod.uid': 'uid-2' } },
    '',
  )
  assert.equal((await state.madeSandbox(id))?.ready, true)
  assert.deepEqual(
    (await state.pod(other, state.mark())).sandboxes.map((sandbox) => sandbox.id),
    [id],
  )
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
  const pleg = new Pleg({
    clock,
    log: silentLogger,
    random: seededRandom(1),
    metrics: new Metrics(),
    runtime,
    state,
    changed: () => undefined,
    looked: () => looks++,
  })
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

/** A runtime that tells only that something has ended, a moment before its lists show it, as containerd before 2.0 does. */
async function endingWorld() {
  const built = await world()
  const { clock, runtime, state } = built
  let tell: (id: string) => void = () => undefined
  const breaks = Promise.withResolvers<never>()
  runtime.events = async function* () {
    for (;;)
      yield {
        id: await Promise.race([breaks.promise, new Promise<string>((resolve) => (tell = resolve))]),
        ended: true,
      }
  }
  const changed: number[] = []
  let looks = 0
  const stop = new AbortController()
  const pleg = new Pleg({
    clock,
    log: silentLogger,
    random: seededRandom(1),
    metrics: new Metrics(),
    runtime,
    state,
    changed: () => changed.push(clock.now()),
    looked: () => looks++,
  })
  const during = async (ms: number) => {
    const before = looks
    await clock.advance(ms)
    return looks - before
  }
  return {
    ...built,
    pleg,
    stop,
    changed,
    during,
    tell: (id: string) => tell(id),
    breakOff: () => breaks.reject(new Error('the runtime restarts')),
  }
}

test('a runtime that tells of ends is looked at seldom, and an end is seen as soon as it shows', async () => {
  const { clock, runtime, start, pleg, stop, changed, during, tell } = await endingWorld()
  const id = await start(['sleep', '100'])
  await pleg.start(stop.signal)
  await during(5000)
  assert.equal(await during(60_000), 1)
  const before = changed.length
  tell(id)
  clock.after(10, () => runtime.exit(id, 3))
  const toldMs = clock.now()
  assert.equal(await during(1000), 0)
  assert.deepEqual(changed.slice(before), [toldMs + 25], 'after five and twenty milliseconds more')
  stop.abort()
})

test('news of a container that nobody knows yet has everything looked at', async () => {
  const { start, pleg, stop, changed, during, tell } = await endingWorld()
  await pleg.start(stop.signal)
  await during(5000)
  const id = await start(['true'])
  const before = changed.length
  tell(id)
  assert.ok((await during(1000)) >= 4)
  assert.equal(changed.length, before + 1)
  stop.abort()
})

test('when the stream of events breaks, the runtime is looked at again', async () => {
  const { pleg, stop, during, breakOff } = await endingWorld()
  await pleg.start(stop.signal)
  await during(5000)
  breakOff()
  assert.ok((await during(3000)) >= 2)
  stop.abort()
})
