import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { startDaemon } from '../../cluster/daemon.ts'
import type { ClusterConfig } from '../../cluster/config/settings.ts'
import { loadConfig } from '../../cluster/config/load.ts'
import { settings } from '../../cluster/config/settings.ts'
import { installMissing } from '../../cluster/host/packages.ts'
import { missingPrograms } from '../../cluster/host/programs.ts'
import { planRecord, prepare, requireMachine, requirePort } from '../../cluster/prepare.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { waitForApi, waitForNodes } from '../../cluster/readiness.ts'
import { contextName, nodePlans, readRecord, type ClusterRecord } from '../../cluster/record.ts'
import { withClusterLock } from '../../cluster/process/lock.ts'
import { commandDeps } from '../deps.ts'
import { durationOf } from './component-flags.ts'
import { columns, type Output } from '../output.ts'

/** Flags of `up` that are no settings of the cluster. */
interface UpFlags {
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
  const { config, sources } = await loadConfig({ flags: given, env: process.env, file: flags.config, fileText })
  const timeoutMs = durationOf(flags.timeout ?? '2m', 'timeout')
  if (flags.printConfig)
    return output.result(
      columns([
        ['FIELD', 'VALUE', 'FROM'],
        ...settings.map(({ field, path }) => [path, String(config[field]), sources[field]]),
      ]),
    )
  const why = config.simulated ? undefined : whyNoContainers()
  const simulated = config.simulated || why !== undefined
  const record = planRecord({ ...deps, config, simulated, kubeconfig: flags.kubeconfig })
  refuseChanges(config)
  if (flags.dryRun) return describe(record, output)
  await requirePort(config)
  requireMachine(record)
  await withClusterLock(config.name, () => bringUp({ record, why, flags, timeoutMs, startMs }, output))
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
  output.note(
    `Cluster ${config.name} is ready at https://${config.address}:${config.port} (context ${contextName(config.name)}) after ${((deps.clock.now() - startMs) / 1000).toFixed(1)} s.`,
  )
  output.note(
    'Next: kubectl get nodes · kubectl create deployment hello --image=IMAGE · npx kubernode image load ARCHIVE · npx kubernode down',
  )
}

/** Why this machine cannot run containers, or undefined. */
function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'containers need root (sudo npm start)'
  return undefined
}

/** An existing cluster keeps what cannot be changed under it. */
function refuseChanges(config: ClusterConfig): void {
  const there = readRecord(config.name)?.config
  if (!there) return
  for (const field of ['podCIDR', 'serviceCIDR', 'nodeCIDR', 'clusterDomain', 'store', 'nodes', 'simulated'] as const) {
    if (there[field] === config[field]) continue
    const path = settings.find((s) => s.field === field)!.path
    throw new Problem(
      'KN-CONFIG-02',
      `the cluster ${config.name} exists with ${path} ${there[field]}, and ${config[field]} is asked for: this cannot be changed in place`,
      `use the old value, or another name, or run \`kubernode delete ${config.name}\` first`,
      {
        exitCode: exitCodes.usage,
      },
    )
  }
}

function describe(record: ReturnType<typeof planRecord>, output: Output): void {
  const plans = nodePlans(record, hostname())
  output.result(
    `cluster ${record.config.name}: API server at https://${record.config.address}:${record.config.port}, context in ${record.kubeconfig}`,
  )
  for (const { name, address, isolated } of plans)
    output.result(
      `node ${name}: ${record.simulated ? 'simulated' : `${address}${isolated ? ', in a network namespace' : ', on this machine'}`}`,
    )
  if (!record.simulated)
    for (const { name, packages } of missingPrograms()) output.result(`install ${packages.apt} (${name})`)
}
