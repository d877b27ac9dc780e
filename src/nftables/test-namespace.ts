import type { TestContext } from 'node:test'
import { inNetworkNamespace, runCommand } from '../base/command.ts'
import type { RunCommand } from '../base/command.ts'
import { realRandom } from '../base/random.ts'

/** A network namespace that a test made; it goes with the test. */
export interface TestNamespace {
  readonly name: string
  readonly path: string
  /** Runs a program inside. */
  readonly run: RunCommand
  /** Runs one line of `ip` or another program inside; gives what it printed. */
  sh(line: string): Promise<string>
}

/** Why tests in network namespaces cannot run here, or false when they can: the `skip` option of such a test. */
export const namespacesMissing: string | false = process.getuid?.() === 0 ? false : 'network namespaces need root'

/** Makes a network namespace with a loopback link. */
export async function testNamespace(t: TestContext): Promise<TestNamespace> {
  const name = `kntest-${realRandom.uuid().slice(0, 8)}`
  await runCommand({ file: 'ip', args: ['netns', 'add', name] })
  t.after(() => runCommand({ file: 'ip', args: ['netns', 'delete', name] }))
  const path = `/run/netns/${name}`
  const run = inNetworkNamespace(runCommand, path)
  const sh = async (line: string) => {
    const [file = '', ...args] = line.split(' ')
    return (await run({ file, args })).stdout
  }
  await sh('ip link set lo up')
  return { name, path, run, sh }
}
