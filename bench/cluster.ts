import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure, atMost, benchDeps, figure, freePort, timed } from './measure.ts'
import { processesWith, treeOf, usageOf } from './processes.ts'

const entryPoint = process.env['BENCH_ENTRY'] ?? join(import.meta.dirname, '../dist/kubernode.js')
const name = 'bench'
const mebibyte = 2 ** 20

/** How long the idle cluster is watched; lease renewals reach the disk every five minutes or so, so shorter says little about writes. */
const idleSeconds = Number(process.env['BENCH_IDLE_SECONDS'] ?? 600)
/** What a fresh cluster does of its own accord (first leases, endpoints, collection of garbage) is over then. */
const settleSeconds = 30

/** A one-node cluster from its start to its end: with containers as root (BENCH_SIMULATED=1: without), in a folder of its own. */
export async function clusterFigures(): Promise<Figure[]> {
  const simulated = process.getuid?.() !== 0 || process.env['BENCH_SIMULATED'] === '1'
  const home = await mkdtemp(join(tmpdir(), 'kubernode-bench-'))
  const env = {
    ...process.env,
    KUBERNODE_HOME: home,
    KUBECONFIG: join(home, 'kubeconfig'),
    KUBERNODE_PORT: String(await freePort()),
  }
  const run = (...args: string[]) => command(args, env)
  const up = () => run('up', '--name', name, ...(simulated ? ['--simulated'] : []))
  const kind = simulated ? 'simulated node' : 'one node'
  try {
    const firstMs = await timed(up)
    await run('down', '--name', name)
    const againMs = await timed(up)
    const figures = [
      figure(`start to ready, ${kind}, new cluster with its certificates`, firstMs / 1000, 's'),
      atMost(`start to ready, ${kind}, existing cluster`, againMs / 1000, 's', 1),
    ]
    return [...figures, ...(await idleFigures(home, kind))]
  } finally {
    await run('delete', '--all')
    await rm(home, { recursive: true, force: true })
  }
}

async function idleFigures(home: string, kind: string): Promise<Figure[]> {
  const { clock } = benchDeps()
  const alive = setInterval(() => {}, 1000) // The clock's timers do not keep the process alive.
  const daemon = Number.parseInt(await readFile(join(home, 'run', name, 'kubernode.pid'), 'utf8'), 10)
  // containerd and its shims have left the daemon's tree; each names its folder.
  const everything = () => [...new Set([...treeOf(daemon), ...processesWith(home)])]
  await clock.sleep(settleSeconds * 1000)
  const before = usageOf(everything())
  await clock.sleep(idleSeconds * 1000)
  const after = usageOf(everything())
  const own = usageOf([daemon])
  clearInterval(alive)
  const writtenPerHour = ((after.writtenBytes - before.writtenBytes) / mebibyte) * (3600 / idleSeconds)
  const what = `idle, ${kind}`
  return [
    atMost(
      `${what}: resident memory of all ${after.processes} processes, containerd's too`,
      after.rssBytes / mebibyte,
      'MB',
      150,
    ),
    figure(`${what}: of it Kubernode's own process`, own.rssBytes / mebibyte, 'MB'),
    figure(`${what}: proportional set size of all`, after.pssBytes / mebibyte, 'MB'),
    atMost(`${what}: CPU`, ((after.cpuMs - before.cpuMs) / (idleSeconds * 1000)) * 100, '% of a core', 1),
    atMost(`${what}: written to disk (seen over ${idleSeconds} s)`, writtenPerHour, 'MB/h', 1),
  ]
}

async function command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entryPoint, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`kubernode ${args.join(' ')} ended with ${String(code)}: ${errors}`)
}
