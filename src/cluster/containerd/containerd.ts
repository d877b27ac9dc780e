import { existsSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { runCommand } from '../../base/command.ts'
import type { Deps } from '../../base/deps.ts'
import { ensureFolder, readFileIfThere, writeFileAtomic } from '../files.ts'
import { pauseImage, pauseImageName } from '../image/pause-image.ts'
import type { NodePaths } from '../paths.ts'
import { Problem } from '../problem.ts'
import { endProcess, keepRunning, runningProcess, startDetached } from '../process/child.ts'
import { cniFolder, findProgram } from '../host/programs.ts'
import { containerdConfig } from './config.ts'

/** How a node's containerd is started. */
export interface ContainerdStart extends Deps {
  readonly paths: NodePaths
  /** Path of the network namespace it runs in; absent: the machine's own. */
  readonly networkNamespace?: string | undefined
}

const startTimeoutMs = 30_000
const pollMs = 10
/** CAP_SYS_RESOURCE. */
const sysResourceBit = 1n << 24n

/** The process id file of a node's containerd. */
export const containerdPidFile = (paths: NodePaths): string => join(paths.run, 'containerd.pid')

/**
 * Starts the node's own containerd, or adopts the one that runs already, and waits until it answers. It goes on when Kubernode ends, so that containers do.
 */
export async function ensureContainerd(options: ContainerdStart): Promise<void> {
  const { paths, clock } = options
  const file = containerdPidFile(paths)
  if (runningProcess(file) === undefined) start(options, file)
  const log = join(paths.data, 'containerd.log')
  for (let waited = 0; !(await answers(paths.containerdSocket)); waited += pollMs) {
    if (runningProcess(file) === undefined) throw failed(log, 'it ended at once')
    if (waited > startTimeoutMs)
      throw failed(log, `its socket ${paths.containerdSocket} does not answer after ${startTimeoutMs / 1000} s`)
    await clock.sleep(pollMs)
  }
  await ensurePauseImage(paths)
}

/** Starts containerd again whenever it has ended, until that is cancelled; its containers have gone on meanwhile. */
export const keepContainerd = (options: ContainerdStart): (() => void) => {
  const { paths, clock, log } = options
  const file = containerdPidFile(paths)
  return keepRunning(
    [
      {
        file,
        start: () => {
          log.warn({ component: 'cluster' }, 'containerd has ended and is started again')
          start(options, file)
        },
        failed: (error) => log.error({ component: 'cluster', err: error }, 'containerd cannot be started'),
      },
    ],
    clock,
  )
}

/** Ends the node's containerd. Containers must be stopped before. */
export const stopContainerd = (paths: NodePaths, { clock }: Pick<Deps, 'clock'>): Promise<void> =>
  endProcess(containerdPidFile(paths), clock, 10_000)

/** Runs `ctr` against a node's containerd, in the namespace of Kubernetes' images. */
export const ctr = (paths: NodePaths, ...args: string[]) =>
  runCommand({
    file: findProgram('ctr') ?? 'ctr',
    args: ['--address', paths.containerdSocket, '--namespace', 'k8s.io', ...args],
  })

function start({ paths, networkNamespace }: ContainerdStart, file: string): void {
  for (const folder of [paths.containerd, paths.run, paths.cniConfig]) ensureFolder(folder)
  const plugins = cniFolder()
  const program = findProgram('containerd')
  if (!plugins || !program)
    throw new Problem(
      'KN-HOST-01',
      `${program ? 'the CNI plugins are' : 'containerd is'} missing`,
      'run `kubernode doctor --fix`, or use --simulated',
    )
  const config = join(paths.containerd, 'config.toml')
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  writeFileAtomic(
    config,
    containerdConfig({
      paths,
      cniPlugins: plugins,
      sandboxImage: pauseImageName,
      restrictOomScore: (BigInt(`0x${capabilities}`) & sysResourceBit) === 0n,
      systemdCgroup: false,
    }),
    0o644,
  )
  const inside = networkNamespace === undefined ? [] : ['nsenter', `--net=${networkNamespace}`]
  const [command = program, ...args] = [...inside, program, '--config', config]
  startDetached({ command, args, file, log: join(paths.data, 'containerd.log') })
}

function failed(log: string, why: string): Problem {
  const last = (readFileIfThere(log) ?? '').trim().split('\n').slice(-3).join(' | ')
  return new Problem(
    'KN-CONTAINERD-01',
    `containerd did not start: ${why}${last && `; its last words: ${last}`}`,
    `read ${log}`,
  )
}

/** Whether somebody listens on a Unix socket. */
function answers(path: string): Promise<boolean> {
  if (!existsSync(path)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = createConnection(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Imports the pause image, once for each containerd root. */
async function ensurePauseImage(paths: NodePaths): Promise<void> {
  const stamp = join(paths.containerd, 'pause-image')
  if (readFileIfThere(stamp) === pauseImageName) return
  const archive = join(paths.containerd, 'pause.tar')
  writeFileAtomic(archive, await pauseImage())
  await ctr(paths, 'images', 'import', archive)
  // The label keeps image garbage collection away from it.
  await ctr(paths, 'images', 'label', pauseImageName, 'io.cri-containerd.pinned=pinned')
  writeFileAtomic(stamp, pauseImageName)
}
