import assert from 'node:assert/strict'
import test from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { runtimeContract } from '../contract.ts'
import { ipsIn } from './addresses.ts'
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

test('addresses leave out the network and the gateway, and begin again at the end', () => {
  const ips = ipsIn('10.1.2.0/29')
  assert.deepEqual(
    Array.from({ length: 6 }, () => ips.next().value),
    ['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6', '10.1.2.2'],
  )
})
