import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../../base/command.ts'
import { realRandom } from '../../base/random.ts'
import { realNft } from '../../nftables/real.ts'
import { namespacesMissing, testNamespace } from '../../nftables/test-namespace.ts'
import { addressAt, indexOf } from './config.ts'
import { ensureMachineNetwork, listMachineNodes, removeMachineNetwork, removeMachineNode } from './machine-network.ts'

test("addresses count up from the subnet's first", () => {
  assert.equal(addressAt('10.89.0.0/24', 0), '10.89.0.1')
  assert.equal(addressAt('10.89.0.128/25', 3), '10.89.0.132')
  assert.equal(indexOf('10.89.0.0/24', '10.89.0.4'), 3)
  assert.equal(indexOf('10.89.0.0/24', '10.90.0.4'), undefined)
  assert.throws(() => addressAt('10.89.0.0/29', 6), /has no place/)
})

test(
  'nodes of one machine are made once, keep their addresses, reach each other, and go without a trace',
  { skip: namespacesMissing, timeout: 30_000 },
  async (t) => {
    // The machine is a namespace too, so that the real one stays as it is; only the names of namespaces are shared.
    const machine = await testNamespace(t)
    const options = {
      run: machine.run,
      nft: realNft({ run: runCommand, namespacePath: machine.path }),
      config: {
        cluster: `t${realRandom.uuid().slice(0, 6)}`,
        subnet: '10.89.78.0/24',
        outside: true,
        hostRoutes: ['10.96.0.0/12'],
      },
    }
    try {
      const made = await ensureMachineNetwork(options, [{ name: 'one' }, { name: 'two' }])
      assert.deepEqual(
        made.map(({ address }) => address),
        ['10.89.78.2', '10.89.78.3'],
      )
      assert.deepEqual(await ensureMachineNetwork(options, [{ name: 'one' }, { name: 'two' }]), made)
      assert.deepEqual(await listMachineNodes(options), made)
      assert.match(
        (await runCommand({ file: 'nsenter', args: [`--net=${made[0]!.namespacePath}`, 'ip', 'route'] })).stdout,
        /default via 10\.89\.78\.1/,
      )
      assert.match(await machine.sh('ip route'), /10\.96\.0\.0\/12 via 10\.89\.78\.2/)
      await removeMachineNode(options, 'one')
      const [three] = await ensureMachineNetwork(options, [{ name: 'three' }])
      assert.equal(three?.address, '10.89.78.2')
      assert.equal(
        (await ensureMachineNetwork(options, [{ name: 'four', address: '10.89.78.40' }]))[0]?.address,
        '10.89.78.40',
      )
    } finally {
      await removeMachineNetwork(options)
    }
    assert.deepEqual(await listMachineNodes(options), [])
    assert.doesNotMatch(await machine.sh('ip -br link'), /kn-/)
    assert.deepEqual(await options.nft.tables(), [])
    await removeMachineNetwork(options)
  },
)
