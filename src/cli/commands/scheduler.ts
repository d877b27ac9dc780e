import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { Informers } from '../../client/informer/informers.ts'
import { standForElection, type LeaderElection } from '../../client/leader/leader-election.ts'
import { readSchedulerConfiguration } from '../../scheduler/read-configuration.ts'
import { schedulerListers } from '../../scheduler/listers.ts'
import { startScheduler, type Scheduler } from '../../scheduler/scheduler.ts'
import { schedulerPort, serveScheduler } from '../../scheduler/serve.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, configOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { transportOf } from './kubeconfig-flag.ts'
import { electionFlags, electionOf } from './election-flags.ts'
import { servingFlags, servingOf } from './serving-flags.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--config <file>', 'a KubeSchedulerConfiguration'],
  ...electionFlags,
  ...servingFlags(schedulerPort),
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode scheduler`: the scheduler alone, with upstream's flags. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('scheduler', numberOf(given['v']!, 'v'))
    const config = configOf(given['config'], readSchedulerConfiguration) ?? {}
    if (config.extenders?.length)
      deps.log.warn({}, 'extenders are not there: those of the configuration file are not called')
    const transport = await transportOf(given['kubeconfig'] ?? config.clientConnection?.kubeconfig, {
      deps,
      userAgent: 'kube-scheduler',
    })
    const client = newClient(transport)
    const stand = electionOf(given, 'kube-scheduler', { ...deps, file: config.leaderElection })
    const serving = await servingOf(given, 'kube-scheduler', deps)
    // Whoever waits to lead has its caches filled already.
    const informers = new Informers({ deps, client })
    schedulerListers(informers)
    let scheduler: Scheduler | undefined
    let election: LeaderElection | undefined
    const closing = new AbortController()
    const server =
      serving.options &&
      (await serveScheduler({
        ...deps,
        ...serving.options,
        informers,
        config,
        closing: closing.signal,
        ...(stand && { election: () => election }),
      }))
    const start = async () => {
      scheduler = await startScheduler({ ...deps, client, informers, config })
      deps.log.info({ port: server?.port }, 'scheduling')
    }
    if (stand) election = standForElection({ ...stand, deps, client, lead: start, lost: () => process.exit(1) })
    else await start()
    await runUntilSignal(deps, async () => {
      closing.abort(new Error('the process is ending'))
      await scheduler?.close()
      await election?.close()
      await server?.close()
      await informers.close()
      await serving.close()
      await transport.close()
    })
  })
}
