import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { startDaemon, stopDaemon } from '../../cluster/daemon.ts'
import { loadConfig } from '../../cluster/config/load.ts'
import { settings, type ClusterConfig } from '../../cluster/config/settings.ts'
import { installMissing } from '../../cluster/host/packages.ts'
import { missingPrograms } from '../../cluster/host/programs.ts'
import {
  planRecord,
  prepare,
  refuseChanges,
  requireMachine,
  requirePort,
  runsOtherwise,
} from '../../cluster/prepare.ts'
import { waitForApi, waitForNodes } from '../../cluster/readiness.ts'
import { contextName, nodePlans, readRecord, type ClusterRecord } from '../../cluster/record.ts'
import { withClusterLock } from '../../cluster/process/lock.ts'
import { commandDeps } from '../deps.ts'
import type { GlobalFlags } from '../command.ts'
import { durationOf } from './component-flags.ts'
import { interruptible } from '../interruption.ts'
import { columns, formatted, type Output } from '../output.ts'

/** Flags of `up` that are no settings of the cluster. */
interface UpFlags extends GlobalFlags {
  readonly config?: string
  readonly kubeconfig?: string
  readonly wait?: string
  readonly timeout?: string
  readonly printConfig?: boolean
  readonly dryRun?: boolean
}

/** `kubernode up`: creates, starts or changes a cluster; running it again changes nothing that is as asked. */
export async function up(
  given: Partial<Record<keyof ClusterConfig, string>>,
  flags: UpFlags,
  output: Output,
): Promise<void> {
  const deps = commandDeps()
  const startMs = deps.clock.now()
  const fileText = flags.config === '-' ? readFileSync(0, 'utf8') : undefined
  const { config, sources } = await loadConfig({
    flags: given,
    env: process.env,
    file: flags.config,
    fileText,
    existing: (name) => readRecord(name)?.config,
  })
  const timeoutMs = durationOf(flags.timeout ?? '2m', 'timeout')
  if (flags.printConfig) {
    const fields = settings.map(({ field, path }) => ({ field: path, value: config[field], from: sources[field] }))
    if (flags.output === 'json' || flags.output === 'yaml')
      return output.result(await formatted(flags.output, 'SettingList', fields))
    return output.result(
      columns([['FIELD', 'VALUE', 'FROM'], ...fields.map(({ field, value, from }) => [field, String(value), from])]),
    )
  }
  const why = config.simulated ? undefined : whyNoContainers()
  const simulated = config.simulated || why !== undefined
  const record = planRecord({ ...deps, config, simulated, kubeconfig: flags.kubeconfig })
  refuseChanges(config)
  if (flags.dryRun) return describe(record, flags, output)
  await requirePort(config)
  requireMachine(record)
  const kept = `it is kept as far as it came: \`kubernode up ${config.name}\` goes on, \`kubernode delete ${config.name}\` removes it`
  await withClusterLock(config.name, () =>
    interruptible(kept, () => bringUp({ record, why, flags, timeoutMs, startMs }, output)),
  )
}

/** What `up` does once it knows what is wanted. */
interface Wanted {
  readonly record: ClusterRecord
  /** Why nodes are simulated although nobody asked for it. */
  readonly why: string | undefined
  readonly flags: UpFlags
  readonly timeoutMs: number
  readonly startMs: number
}

async function bringUp({ record, why, flags, timeoutMs, startMs }: Wanted, output: Output): Promise<void> {
  const deps = commandDeps()
  const { config } = record
  if (why !== undefined) output.note(`Nodes are simulated (no containers run): ${why}.`)

  if (!record.simulated) {
    const missing = missingPrograms()
    if (missing.length > 0)
      await output.step(
        'install system packages',
        async () => void (await installMissing((packages) => output.note(` installing ${packages.join(' ')}`))),
      )
  }
  if (runsOtherwise(config)) await output.step('stop what has the old settings', () => stopDaemon(config.name, deps))
  await output.step('certificates and kubeconfig', () => prepare(record, deps))
  const { started, exited } = startDaemon(config)
  const client = await output.step('API server', (wait) => {
    wait(`https://${config.address}:${config.port}`)
    return waitForApi(config.name, timeoutMs, deps, exited)
  })
  if (flags.wait !== 'none') {
    await output.step(config.nodes === 1 ? 'node is Ready' : `${config.nodes} nodes are Ready`, (wait) => {
      wait('the nodes to register and become Ready')
      return waitForNodes({ record, timeoutMs, sinceMs: started ? startMs : 0 }, client, deps)
    })
  }
  const [server, context] = [`https://${config.address}:${config.port}`, contextName(config.name)]
  const ms = deps.clock.now() - startMs
  const which = config.name === 'kubernode' ? '' : ` ${config.name}`
  output.done(
    [
      `Cluster ${config.name} is ready at ${server} after ${(ms / 1000).toFixed(1)} s; kubectl's context is now ${context} (in ${record.kubeconfig}).`,
      `Next: kubectl get nodes · kubectl create deployment hello --image=IMAGE · npx kubernode down${which}`,
    ],
    { name: config.name, server, context, kubeconfig: record.kubeconfig, simulated: record.simulated, ms },
  )
}

/** Why this machine cannot run containers, or undefined. */
function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'containers need root (sudo npm start)'
  return undefined
}

/** What `up` would make. */
async function describe(record: ClusterRecord, flags: UpFlags, output: Output): Promise<void> {
  const { config, simulated, kubeconfig } = record
  const server = `https://${config.address}:${config.port}`
  const nodes = nodePlans(record, hostname())
  const missing = simulated ? [] : missingPrograms()
  if (flags.output === 'json' || flags.output === 'yaml') {
    const plan = { name: config.name, server, kubeconfig, simulated, nodes, install: missing.map(({ name }) => name) }
    return output.result(await formatted(flags.output, 'PlanList', [plan]))
  }
  output.result(`cluster ${config.name}: API server at ${server}, context in ${kubeconfig}`)
  for (const { name, address, isolated } of nodes)
    output.result(
      `node ${name}: ${simulated ? 'simulated' : `${address}${isolated ? ', in a network namespace' : ', on this machine'}`}`,
    )
  for (const { name, packages } of missing) output.result(`install ${packages.apt} (${name})`)
}
