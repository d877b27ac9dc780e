import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand, type CommandOutput } from '../../src/base/command.ts'
import { realClock } from '../../src/base/clock.ts'
import { commandDeps } from '../../src/cli/deps.ts'
import { newClient, type Client } from '../../src/client/client.ts'
import { transportFromKubeconfig } from '../../src/client/https/kubeconfig.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** Why end-to-end tests cannot run here, or false. */
export const cannotRun: string | false =
  process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() !== 0 ? 'needs root' : false

/** A cluster for one test file: folders of its own, nodes in network namespaces without a way out. */
export interface TestCluster {
  readonly name: string
  readonly home: string
  /** Runs a kubernode command on this cluster. */
  kubernode(...args: string[]): Promise<CommandOutput>
  client(): Promise<Client>
  /** Removes it, whatever state it is in. */
  remove(): Promise<void>
}

/** Describes a cluster; `kubernode up` makes it. Each test file has its own port and addresses. */
export function testCluster(name: string, index: number): TestCluster {
  const home = mkdtempSync(join(tmpdir(), `kubernode-${name}-`))
  const settings = {
    KUBERNODE_HOME: home,
    KUBECONFIG: join(home, 'kubeconfig'),
    KUBERNODE_NAME: name,
    KUBERNODE_PORT: String(26443 + index),
    KUBERNODE_ISOLATED: 'true',
    KUBERNODE_NODE_CIDR: `10.77.${index}.0/24`,
    KUBERNODE_POD_CIDR: `10.${170 + index}.0.0/16`,
    KUBERNODE_SERVICE_CIDR: `10.${200 + index}.0.0/16`,
  }
  const environment = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const kubernode = (...args: string[]) =>
    runCommand({ file: 'env', args: [...environment, process.execPath, main, ...args] })
  return {
    name,
    home,
    kubernode,
    client: async () => newClient(await transportFromKubeconfig(settings.KUBECONFIG, { deps: commandDeps() })),
    async remove() {
      await kubernode('delete').catch(() => {}) // It may be gone already.
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Asks again until the answer is as wanted; the last answer is in the error. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const untilMs = realClock.now() + timeoutMs
  for (;;) {
    let answer: T | undefined
    let failure: unknown
    try {
      answer = await ask()
      if (wanted(answer)) return answer
    } catch (error) {
      failure = error
    }
    if (realClock.now() > untilMs)
      throw new Error(
        `${what}: not within ${timeoutMs / 1000} s; last: ${failure ? String(failure) : JSON.stringify(answer)?.slice(0, 2000)}`,
      )
    await realClock.sleep(100)
  }
}
