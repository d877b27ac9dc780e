import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { transportFromKubeconfig } from '../../client/https/kubeconfig.ts'
import { startScheduler } from '../../scheduler/scheduler.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, numberOf, required, type ComponentFlag } from './component-flags.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode scheduler`: the scheduler alone, with upstream's flags. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('scheduler', numberOf(given['v']!, 'v'))
    const transport = await transportFromKubeconfig(required(given['kubeconfig'], 'kubeconfig'), { deps, userAgent: 'kube-scheduler' })
    const scheduler = await startScheduler({ ...deps, client: newClient(transport) })
    deps.log.info({}, 'scheduling')
    await runUntilSignal(deps, async () => {
      await scheduler.close()
      await transport.close()
    })
  })
}
