import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pods } from '../src/api/generated/resources.ts'
import type { Pod } from '../src/api/generated/types/core-v1.ts'
import type { Frozen } from '../src/api/resource.ts'
import { newClient, type Client } from '../src/client/client.ts'
import { transportFromKubeconfig } from '../src/client/https/kubeconfig.ts'
import { connectCri } from '../src/runtime/cri/cri-runtime.ts'
import { busyboxArchive, testImage } from '../test/e2e/busybox-image.ts'
import { barePod, removeBare, startBare, type BareOptions } from './bare-pod.ts'
import { atMost, benchDeps, figure, medianOf, timed, type Figure } from './measure.ts'

const entryPoint = process.env['BENCH_ENTRY'] ?? join(import.meta.dirname, '../dist/kubernode.js')
const name = 'benchpods'
const node = `${name}-1`
const namespace = 'default'
/** Of each kind, one after the other in turns: what else the machine does then meets both alike. The first ones only warm up. */
const rounds = Number(process.env['BENCH_POD_ROUNDS'] ?? 21)
const warmUps = 3
const burstRounds = 5
const burstSize = 20
const command = ['/bin/busybox', 'sleep', '3600']

/** How long a Pod takes from its creation to Running, against what containerd alone needs for the same calls; one by one and many at once. Needs root. */
export async function podFigures(): Promise<Figure[]> {
  if (process.getuid?.() !== 0) return []
  const home = await mkdtemp(join(tmpdir(), 'kubernode-bench-'))
  const env = {
    ...process.env,
    KUBERNODE_HOME: home,
    KUBECONFIG: join(home, 'kubeconfig'),
    KUBERNODE_NAME: name,
    KUBERNODE_ISOLATED: 'true',
    KUBERNODE_PORT: '27443',
    KUBERNODE_NODE_CIDR: '10.79.0.0/24',
    KUBERNODE_POD_CIDR: '10.189.0.0/16',
    KUBERNODE_SERVICE_CIDR: '10.219.0.0/16',
  }
  const kubernode = (...args: string[]) => run(args, env)
  const deps = benchDeps()
  const alive = setInterval(() => {}, 1000) // The clock's timers do not keep the process alive.
  try {
    // Two nodes, since those are in namespaces of their own.
    await kubernode('up', '--nodes', '2')
    await kubernode('image', 'load', await busyboxArchive(home))
    const client = newClient(await transportFromKubeconfig(env.KUBECONFIG, { deps }))
    const runtime = await connectCri({ ...deps, socket: join(home, 'run', name, `nodes/${node}/containerd.sock`) })
    const bare: BareOptions = {
      ...deps,
      runtime,
      folder: join(home, 'bare'),
      cgroupParent: `/kubernode-${name}/${node}/kubepods/besteffort`,
    }
    const single = await compare(client, bare, { count: 1, turns: rounds, warmUps })
    const burst = await compare(client, bare, { count: burstSize, turns: burstRounds, warmUps: 1 })
    await runtime.close()
    return [...figuresOf('Pod', single), ...figuresOf(`${burstSize} Pods at once`, burst)]
  } finally {
    clearInterval(alive)
    await kubernode('delete')
    await rm(home, { recursive: true, force: true })
  }
}

interface Comparison {
  readonly throughApiMs: readonly number[]
  readonly bareMs: readonly number[]
  /** The machine's load average while it was measured. */
  readonly load: number
}

function figuresOf(what: string, { throughApiMs, bareMs, load }: Comparison): Figure[] {
  const [throughApi, bare] = [medianOf(throughApiMs), medianOf(bareMs)]
  return [
    figure(`${what} from create to Running, median (load ${load.toFixed(1)})`, throughApi, 'ms'),
    figure('the same calls to containerd alone, median', bare, 'ms'),
    atMost(`${what} against bare containerd`, throughApi / bare, '×', 1.3),
  ]
}

/** Starts `count` Pods at once, then as many bare ones, again and again; each is gone before the next is begun. */
async function compare(
  client: Client,
  bare: BareOptions,
  { count, turns, warmUps }: { readonly count: number; readonly turns: number; readonly warmUps: number },
): Promise<Comparison> {
  const [throughApiMs, bareMs]: [number[], number[]] = [[], []]
  const ended = new AbortController()
  const watch = follow(client, ended.signal)
  for (let turn = 0; turn < turns + warmUps; turn++) {
    let made: Frozen<Pod>[] = []
    const names = Array.from({ length: count }, (_, i) => `pod-${count}-${turn}-${i}`)
    const podsMs = await timed(async () => (made = await startPods(client, watch, names)))
    await removePods(client, bare, names)
    const wanted = await Promise.all(made.map((pod) => barePod(pod, bare)))
    let sandboxes: string[] = []
    const callsMs = await timed(
      async () => (sandboxes = await Promise.all(wanted.map((one) => startBare(one, bare.runtime)))),
    )
    await Promise.all(sandboxes.map((id) => removeBare(id, bare)))
    if (turn < warmUps) continue
    throughApiMs.push(podsMs)
    bareMs.push(callsMs)
  }
  ended.abort()
  return { throughApiMs, bareMs, load: loadavg()[0]! }
}

/** Follows the Pods by one watch, as whoever waits for them does. */
function follow(client: Client, signal: AbortSignal): { running(names: readonly string[]): Promise<unknown> } {
  const waiting = new Map<string | undefined, () => void>()
  const watch = async () => {
    for await (const { object } of client.watch(pods, { namespace, signal }))
      if (object.status?.phase === 'Running') waiting.get(object.metadata.name)?.()
  }
  const broken = watch().then(() => Promise.reject(new Error('the watch ended')))
  broken.catch(() => undefined) // Whoever waits hears of it.
  return {
    running: (names) =>
      Promise.race([
        broken,
        Promise.all(names.map((name) => new Promise<void>((resolve) => waiting.set(name, resolve)))),
      ]),
  }
}

/** Creates Pods and waits until the watch has shown each of them running. */
async function startPods(
  client: Client,
  watch: ReturnType<typeof follow>,
  names: readonly string[],
): Promise<Frozen<Pod>[]> {
  const spec = {
    nodeName: node,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image: testImage, command }],
  }
  const running = watch.running(names)
  const made = await Promise.all(names.map((name) => client.create(pods, { metadata: { name, namespace }, spec })))
  await running
  return made
}

/** Deletes Pods and waits until the node has nothing left of them. */
async function removePods(client: Client, { runtime, clock }: BareOptions, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => client.delete(pods, { namespace, name })))
  while ((await client.list(pods, { namespace })).items.length > 0 || (await runtime.listSandboxes()).length > 0)
    await clock.sleep(50)
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [entryPoint, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`kubernode ${args.join(' ')} ended with ${String(code)}: ${errors}`)
}
