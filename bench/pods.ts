import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pods } from '../src/api/generated/resources.ts'
import { newClient, type Client } from '../src/client/client.ts'
import { transportFromKubeconfig } from '../src/client/https/kubeconfig.ts'
import { connectCri } from '../src/runtime/cri/cri-runtime.ts'
import type { ContainerRuntime } from '../src/runtime/runtime.ts'
import { busyboxArchive, testImage } from '../test/e2e/busybox-image.ts'
import { atMost, benchDeps, figure, median, timed, type Figure } from './measure.ts'

const entryPoint = join(import.meta.dirname, '../dist/kubernode.js')
const name = 'benchpods'
const rounds = 9
const command = ['/bin/busybox', 'sleep', '3600']

/** How long a Pod takes from its creation to Running, against what containerd alone needs for the same sandbox and container. Needs root. */
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
  try {
    // Two nodes, since those are in namespaces of their own.
    await kubernode('up', '--nodes', '2')
    await kubernode('image', 'load', await busyboxArchive(home))
    const client = newClient(await transportFromKubeconfig(env.KUBECONFIG, { deps }))
    const runtime = await connectCri({ ...deps, socket: join(home, 'run', name, `nodes/${name}-1/containerd.sock`) })
    let count = 0
    const throughApi = await median(rounds, () => timed(() => startPod(client, `pod-${count++}`)))
    const bare = await median(rounds, () => timed(() => startBare(runtime, `bare-${count++}`)))
    await runtime.close()
    return [
      figure('Pod from create to Running, median', throughApi, 'ms'),
      figure('the same sandbox and container by CRI calls alone, median', bare, 'ms'),
      atMost('Pod start against bare containerd', throughApi / bare, '×', 1.3),
    ]
  } finally {
    await kubernode('delete')
    await rm(home, { recursive: true, force: true })
  }
}

async function startPod(client: Client, pod: string): Promise<void> {
  const ended = new AbortController()
  const events = client.watch(pods, {
    namespace: 'default',
    fieldSelector: `metadata.name=${pod}`,
    signal: ended.signal,
  })
  const running = (async () => {
    for await (const { object } of events) if (object.status?.phase === 'Running') return ended.abort()
  })()
  await client.create(pods, {
    metadata: { name: pod, namespace: 'default' },
    spec: {
      nodeName: `${name}-1`,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: testImage, command }],
    },
  })
  await running
}

async function startBare(runtime: ContainerRuntime, id: string): Promise<void> {
  const sandbox = {
    metadata: { name: id, namespace: 'bench', uid: id, attempt: 0 },
    hostname: id,
    logDirectory: '',
    linux: {},
  }
  const sandboxId = await runtime.runSandbox(sandbox, '')
  const container = await runtime.createContainer(
    sandboxId,
    { metadata: { name: 'c', attempt: 0 }, image: { image: testImage }, command: [...command], linux: {} },
    sandbox,
  )
  await runtime.startContainer(container)
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [entryPoint, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`kubernode ${args.join(' ')} ended with ${String(code)}: ${errors}`)
}
