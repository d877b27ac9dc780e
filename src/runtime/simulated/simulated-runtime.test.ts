import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { runtimeContract } from '../contract.ts'
import { AddressRange } from './addresses.ts'
import { programOf } from './program.ts'
import { SimulatedRuntime } from './simulated-runtime.ts'

runtimeContract('simulated', async () => {
  const clock = new VirtualClock()
  const runtime = new SimulatedRuntime({ clock, random: seededRandom(1) })
  await runtime.pullImage({ image: 'example.test/app:1' })
  return { runtime, image: 'example.test/app:1', clock, pass: (ms) => clock.advance(ms) }
})

for (const [command, steps, runsOn] of [
  [['true'], [{ exit: 0 }], false],
  [['/bin/sleep', '1.5'], [{ sleepMs: 1500 }], false],
  [
    ['sh', '-c', 'echo "a b"; sleep 2m && exit 3; echo never'],
    [{ say: 'a b' }, { sleepMs: 120_000 }, { exit: 3 }],
    false,
  ],
  [['sh', '-c', 'echo up; nginx -g x'], [{ say: 'up' }], true],
  [['nginx'], [], true],
  [[], [], true],
] as const) {
  test(`a simulated container reads \`${command.join(' ')}\``, () =>
    assert.deepEqual(programOf(command), { steps, runsOn }))
}

test('addresses leave out the network and the gateway, begin again at the end, and none is given twice', () => {
  const range = new AddressRange('10.1.2.0/29')
  const take = (count: number) => Array.from({ length: count }, () => range.take())
  assert.deepEqual(take(6), ['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6', undefined])
  range.release('10.1.2.4')
  range.release('10.1.2.2')
  assert.deepEqual(take(3), ['10.1.2.2', '10.1.2.4', undefined])
})

test('a sandbox that is stopped again does not give away the address that another one has by now', async () => {
  const runtime = new SimulatedRuntime({ clock: new VirtualClock(), random: seededRandom(1), podCidr: '10.1.2.0/30' })
  const sandbox = () => runtime.runSandbox({}, '')
  const first = await sandbox()
  await runtime.stopSandbox(first)
  const second = await sandbox()
  await runtime.removeSandbox(first)
  assert.equal((await runtime.sandboxStatus(second))?.network?.ip, '10.1.2.2')
  await assert.rejects(sandbox(), /no IP addresses available/)
})
