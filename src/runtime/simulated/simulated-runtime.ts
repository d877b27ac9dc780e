import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Init } from '../cri/codec.ts'
import type {
  Container,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  Image,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
} from '../cri/generated/cri.ts'
import { RuntimeError, type ContainerRuntime, type RuntimeEvent, type RuntimeFilter } from '../runtime.ts'
import { AddressRange } from './addresses.ts'
import { hasLabels } from './labels.ts'
import { programOf, type Program } from './program.ts'

/** What a simulated runtime is like. */
export interface SimulatedRuntimeOptions {
  readonly clock: Clock
  readonly random: Random
  /** How long things take, in milliseconds. Default: no time. */
  readonly latency?: { readonly pullMs?: number; readonly sandboxMs?: number; readonly startMs?: number }
  /** What a container does. Default: what its command says, see `programOf`. */
  readonly program?: (container: Init<ContainerConfig>, sandbox: Init<PodSandboxConfig>) => Program
  /** Images that cannot be pulled. Default: every image can. */
  readonly missingImage?: (image: string) => boolean
  /** What a running container uses, by its labels; undefined: it is not told. Default: of none. */
  readonly usage?: (labels: Readonly<Record<string, string>>) => SimulatedUsage | undefined
  /** Where pods get their addresses until the node has a range of its own. */
  readonly podCidr?: string
}

/** What a simulated container uses: counts since it began, bytes and inodes now. */
export interface SimulatedUsage {
  readonly cpuNanos: number
  readonly memoryBytes: number
  /** Of what it wrote into its own file system. */
  readonly layerBytes: number
  readonly layerInodes: number
}

/** A line that a simulated container wrote. */
export interface SimulatedLogLine {
  readonly timeMs: number
  readonly text: string
}

interface Sandbox {
  readonly id: string
  readonly config: Init<PodSandboxConfig>
  readonly handler: string
  readonly createdAtMs: number
  readonly ip: string
  ready: boolean
}

interface Running {
  readonly id: string
  readonly sandbox: Sandbox
  readonly config: Init<ContainerConfig>
  readonly createdAtMs: number
  readonly log: SimulatedLogLine[]
  state: 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED'
  startedAtMs: number
  finishedAtMs: number
  exitCode: number
  cancel: () => void
}

/** What a process exits with that SIGTERM ended, and one that SIGKILL did. */
const terminatedExitCode = 143
/** So many lines of a log are kept. */
const logLinesMax = 1000
const nanos = 1e6

/**
 * A runtime that runs nothing: containers start after a latency, do what their program says on the given clock, and end. It behaves as a real one towards the
 * kubelet, costs a few objects a pod, and tells of every change, so that nobody has to look.
 */
export class SimulatedRuntime implements ContainerRuntime {
  readonly #options: SimulatedRuntimeOptions
  readonly #sandboxes = new Map<string, Sandbox>()
  readonly #containers = new Map<string, Running>()
  readonly #images = new Map<string, Image>()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  #addresses: AddressRange
  /** A fault that every call meets: for tests of nodes whose runtime is down. */
  fault: string | undefined

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options
    this.#addresses = new AddressRange(options.podCidr ?? '10.88.0.0/16')
  }

  async version() {
    return { version: '0.1.0', runtimeName: 'simulated', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }
  }

  async status() {
    this.#check()
    const conditions = ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }))
    return { status: { conditions }, features: { handlers: [], supplementalGroupsPolicy: true } }
  }

  async cgroupDriver() {
    return undefined
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    const [first] = podCidr.split(',')
    if (first) this.#addresses = new AddressRange(first)
  }

  async runSandbox(config: Init<PodSandboxConfig>, handler: string): Promise<string> {
    this.#check()
    await this.#take(this.#options.latency?.sandboxMs)
    const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'NODE'
    const sandbox: Sandbox = {
      id: this.#id(),
      config,
      handler,
      createdAtMs: this.#options.clock.now(),
      ready: true,
      ip: hostNetwork ? '' : this.#address(),
    }
    this.#sandboxes.set(sandbox.id, sandbox)
    return sandbox.id
  }

  async stopSandbox(id: string): Promise<void> {
    this.#check()
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) return
    for (const container of this.#of(id)) this.#end(container, terminatedExitCode)
    if (sandbox.ready) this.#addresses.release(sandbox.ip)
    sandbox.ready = false
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id)
    for (const container of this.#of(id)) this.#containers.delete(container.id)
    this.#sandboxes.delete(id)
  }

  async listSandboxes(filter: RuntimeFilter = {}): Promise<PodSandbox[]> {
    this.#check()
    return [...this.#sandboxes.values()]
      .filter(
        ({ id, config }) => (filter.id === undefined || id === filter.id) && hasLabels(config.labels, filter.labels),
      )
      .map((sandbox) => ({
        id: sandbox.id,
        metadata: metadataOf(sandbox),
        state: stateOf(sandbox),
        createdAt: sandbox.createdAtMs * nanos,
        labels: maps(sandbox.config.labels),
        annotations: {},
        runtimeHandler: sandbox.handler,
      }))
  }

  async sandboxStatus(id: string): Promise<PodSandboxStatus | undefined> {
    this.#check()
    const sandbox = this.#sandboxes.get(id)
    return sandbox && sandboxStatus(sandbox)
  }

  async createContainer(sandboxId: string, config: Init<ContainerConfig>): Promise<string> {
    this.#check()
    const sandbox = this.#sandboxes.get(sandboxId)
    if (!sandbox?.ready) throw new RuntimeError('NotFound', `sandbox ${sandboxId} is not running`)
    const container: Running = {
      id: this.#id(),
      sandbox,
      config,
      createdAtMs: this.#options.clock.now(),
      log: [],
      state: 'CONTAINER_CREATED',
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      cancel: () => undefined,
    }
    this.#containers.set(container.id, container)
    return container.id
  }

  async startContainer(id: string): Promise<void> {
    this.#check()
    await this.#take(this.#options.latency?.startMs)
    const container = this.#containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container ${id} is not found`)
    if (container.state !== 'CONTAINER_CREATED')
      throw new RuntimeError('FailedPrecondition', `container ${id} was started before`)
    container.state = 'CONTAINER_RUNNING'
    container.startedAtMs = this.#options.clock.now()
    this.#tell(container, false)
    const command = [...(container.config.command ?? []), ...(container.config.args ?? [])]
    this.#play(container, this.#options.program?.(container.config, container.sandbox.config) ?? programOf(command), 0)
  }

  async stopContainer(id: string): Promise<void> {
    this.#check()
    const container = this.#containers.get(id)
    if (container) this.#end(container, terminatedExitCode)
  }

  async removeContainer(id: string): Promise<void> {
    this.#check()
    const container = this.#containers.get(id)
    if (!container) return
    this.#end(container, terminatedExitCode)
    this.#containers.delete(id)
  }

  async listContainers(filter: RuntimeFilter = {}): Promise<Container[]> {
    this.#check()
    return [...this.#containers.values()]
      .filter(
        ({ sandbox, config }) =>
          (filter.id === undefined || sandbox.id === filter.id) && hasLabels(config.labels, filter.labels),
      )
      .map(({ id, sandbox, config, state, createdAtMs }) => ({
        id,
        podSandboxId: sandbox.id,
        metadata: { name: config.metadata?.name ?? '', attempt: config.metadata?.attempt ?? 0 },
        imageRef: config.image?.image ?? '',
        imageId: config.image?.image ?? '',
        state,
        createdAt: createdAtMs * nanos,
        labels: maps(config.labels),
        annotations: {},
      }))
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    this.#check()
    const container = this.#containers.get(id)
    return container && containerStatus(container)
  }

  async updateContainerResources(): Promise<void> {
    this.#check()
  }

  async reopenContainerLog(): Promise<void> {
    this.#check()
  }

  async execSync(id: string, command: readonly string[]) {
    this.#check()
    if (this.#containers.get(id)?.state !== 'CONTAINER_RUNNING')
      throw new RuntimeError('FailedPrecondition', `container ${id} is not running`)
    const { steps } = programOf(command)
    let exitCode = 0
    let said = ''
    for (const step of steps) {
      if ('say' in step) said += `${step.say}\n`
      else if ('sleepMs' in step) await this.#options.clock.sleep(step.sleepMs)
      else exitCode = step.exit
    }
    return { stdout: Buffer.from(said), stderr: Buffer.alloc(0), exitCode }
  }

  execUrl = noSessions
  attachUrl = noSessions
  portForwardUrl = noSessions

  async containerStats(filter: RuntimeFilter = {}): Promise<ContainerStats[]> {
    const timestamp = this.#options.clock.now() * nanos
    return [...this.#containers.values()].flatMap(({ id, config, state }): ContainerStats[] => {
      const labels = maps(config.labels)
      const wanted = (filter.id === undefined || filter.id === id) && hasLabels(config.labels, filter.labels)
      const usage = wanted && state === 'CONTAINER_RUNNING' ? this.#options.usage?.(labels) : undefined
      if (!usage) return []
      const { cpuNanos, memoryBytes, layerBytes, layerInodes } = usage
      const metadata = { name: config.metadata?.name ?? '', attempt: config.metadata?.attempt ?? 0 }
      return [
        {
          attributes: { id, metadata, labels, annotations: {} },
          cpu: { timestamp, usageCoreNanoSeconds: { value: cpuNanos } },
          memory: { timestamp, workingSetBytes: { value: memoryBytes } },
          writableLayer: { timestamp, usedBytes: { value: layerBytes }, inodesUsed: { value: layerInodes } },
        },
      ]
    })
  }

  async sandboxStats() {
    return []
  }

  async pullImage(image: { readonly image?: string | undefined }): Promise<string> {
    this.#check()
    const name = image.image ?? ''
    await this.#take(this.#options.latency?.pullMs)
    if (this.#options.missingImage?.(name))
      throw new RuntimeError(
        'NotFound',
        `rpc error: code = NotFound desc = failed to pull and unpack image "${name}": not found`,
      )
    this.#images.set(name, imageOf(name))
    return name
  }

  async imageStatus({ image = '' }: { readonly image?: string | undefined }): Promise<Image | undefined> {
    this.#check()
    return this.#images.get(image)
  }

  async listImages(): Promise<Image[]> {
    this.#check()
    return [...this.#images.values()]
  }

  async removeImage({ image = '' }: { readonly image?: string | undefined }): Promise<void> {
    this.#images.delete(image)
  }

  async imageFilesystems() {
    return []
  }

  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const waiting: RuntimeEvent[] = []
    let wake = Promise.withResolvers<void>()
    const listener = (event: RuntimeEvent) => {
      waiting.push(event)
      wake.resolve()
    }
    const end = () => wake.resolve()
    this.#listeners.add(listener)
    signal.addEventListener('abort', end, { once: true })
    try {
      while (!signal.aborted) {
        yield* waiting.splice(0)
        if (waiting.length === 0 && !signal.aborted) await wake.promise
        wake = Promise.withResolvers<void>()
      }
    } finally {
      this.#listeners.delete(listener)
      signal.removeEventListener('abort', end)
    }
  }

  async logLines(id: string): Promise<readonly SimulatedLogLine[]> {
    return this.#containers.get(id)?.log ?? []
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#containers.values()) cancel()
  }

  /** Ends a container as if by itself: for tests of crashes. */
  exit(containerId: string, exitCode: number): void {
    const container = this.#containers.get(containerId)
    if (container) this.#end(container, exitCode)
  }

  /** One step after the other; sleeps give time to others. */
  #play(container: Running, program: Program, from: number): void {
    for (let at = from; at < program.steps.length; at++) {
      const step = program.steps[at]!
      if ('say' in step) {
        if (container.log.length < logLinesMax)
          container.log.push({ timeMs: this.#options.clock.now(), text: step.say })
      } else if ('sleepMs' in step) {
        container.cancel = this.#options.clock.after(step.sleepMs, () => this.#play(container, program, at + 1))
        return
      } else {
        return this.#end(container, step.exit)
      }
    }
    if (!program.runsOn) this.#end(container, 0)
  }

  #end(container: Running, exitCode: number): void {
    container.cancel()
    if (container.state === 'CONTAINER_EXITED') return
    container.state = 'CONTAINER_EXITED'
    container.finishedAtMs = this.#options.clock.now()
    container.exitCode = exitCode
    this.#tell(container, true)
  }

  #tell(container: Running, ended: boolean): void {
    if (this.#listeners.size === 0) return
    const event: RuntimeEvent = { id: container.id, ended, labels: sandboxStatus(container.sandbox).labels }
    for (const listener of this.#listeners) listener(event)
  }

  #of(sandboxId: string): Running[] {
    return [...this.#containers.values()].filter(({ sandbox }) => sandbox.id === sandboxId)
  }

  #check(): void {
    if (this.fault !== undefined)
      throw new RuntimeError('Unavailable', `rpc error: code = Unavailable desc = ${this.fault}`)
  }

  async #take(ms: number | undefined): Promise<void> {
    if (ms) await this.#options.clock.sleep(ms)
  }

  #address(): string {
    const ip = this.#addresses.take()
    if (ip === undefined) throw new RuntimeError('Unknown', 'no IP addresses available in range set')
    return ip
  }

  #id(): string {
    return this.#options.random.bytes(32).toString('hex')
  }
}

const stateOf = ({ ready }: Sandbox) => (ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY') as PodSandbox['state']

const metadataOf = ({ config }: Sandbox) => ({
  name: config.metadata?.name ?? '',
  uid: config.metadata?.uid ?? '',
  namespace: config.metadata?.namespace ?? '',
  attempt: config.metadata?.attempt ?? 0,
})

/** Passed on by reference: nobody changes them. */
const maps = (map: Readonly<Record<string, string | undefined>> | undefined) => (map ?? {}) as Record<string, string>

function sandboxStatus(sandbox: Sandbox): PodSandboxStatus {
  const options = sandbox.config.linux?.securityContext?.namespaceOptions
  return {
    id: sandbox.id,
    metadata: metadataOf(sandbox),
    state: stateOf(sandbox),
    createdAt: sandbox.createdAtMs * nanos,
    network: { ip: sandbox.ready ? sandbox.ip : '', additionalIps: [] },
    linux: {
      namespaces: {
        options: {
          network: options?.network ?? 'POD',
          pid: options?.pid ?? 'POD',
          ipc: options?.ipc ?? 'POD',
          targetId: '',
        },
      },
    },
    labels: maps(sandbox.config.labels),
    annotations: {},
    runtimeHandler: sandbox.handler,
  }
}

function containerStatus({
  id,
  config,
  state,
  createdAtMs,
  startedAtMs,
  finishedAtMs,
  exitCode,
}: Running): ContainerStatus {
  const image = config.image?.userSpecifiedImage ?? ''
  return {
    id,
    metadata: { name: config.metadata?.name ?? '', attempt: config.metadata?.attempt ?? 0 },
    state,
    createdAt: createdAtMs * nanos,
    startedAt: startedAtMs * nanos,
    finishedAt: finishedAtMs * nanos,
    exitCode,
    image: { image, annotations: {}, userSpecifiedImage: image, runtimeHandler: '' },
    imageRef: config.image?.image ?? '',
    imageId: config.image?.image ?? '',
    reason: state === 'CONTAINER_EXITED' ? (exitCode === 0 ? 'Completed' : 'Error') : '',
    message: '',
    labels: maps(config.labels),
    annotations: maps(config.annotations),
    mounts: [],
    logPath: '',
    stopSignal: 'RUNTIME_DEFAULT',
  }
}

const imageOf = (name: string): Image => ({
  id: name,
  repoTags: [name],
  repoDigests: [],
  size: 10_000_000,
  username: '',
  pinned: false,
})

async function noSessions(): Promise<string> {
  throw new RuntimeError(
    'Unimplemented',
    'rpc error: code = Unimplemented desc = a simulated container runs no processes to connect to',
  )
}
