import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { transportFromKubeconfig } from '../../client/https/kubeconfig.ts'
import { standForElection } from '../../client/leader/leader-election.ts'
import type { SchedulerConfiguration } from '../../scheduler/configuration.ts'
import { startScheduler, type Scheduler } from '../../scheduler/scheduler.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, booleanOf, fileOf, numberOf, required, type ComponentFlag } from './component-flags.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--config <file>', 'a KubeSchedulerConfiguration'],
  ['--leader-elect [bool]', 'work only while leader'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode scheduler`: the scheduler alone, with upstream's flags. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('scheduler', numberOf(given['v']!, 'v'))
    const config = await configOf(fileOf(given['config'], 'config'))
    const transport = await transportFromKubeconfig(required(given['kubeconfig'], 'kubeconfig'), { deps, userAgent: 'kube-scheduler' })
    const client = newClient(transport)
    const lead = booleanOf(given['leaderElect'], 'leader-elect') ?? config.leaderElection?.leaderElect ?? true
    let scheduler: Scheduler | undefined
    const start = async () => {
      scheduler = await startScheduler({ ...deps, client, config })
      deps.log.info({}, 'scheduling')
    }
    const election = lead
      ? standForElection({ deps, client, lease: { namespace: 'kube-system', name: 'kube-scheduler' }, identity: `${process.pid}_${deps.random.uuid()}`, lead: start, lost: () => process.exit(1) })
      : await start()
    await runUntilSignal(deps, async () => {
      await scheduler?.close()
      await election?.close()
      await transport.close()
    })
  })
}

async function configOf(text: string | undefined): Promise<SchedulerConfiguration> {
  if (text === undefined) return {}
  const { load } = await import('js-yaml')
  return (load(text) ?? {}) as SchedulerConfiguration
}
