/**
 * What the kubelet needs of a container runtime. The shapes are CRI's own, since every runtime speaks them: `cri/` passes them on,
 * `simulated/` behaves as if. Every call can be repeated: after a crash the kubelet calls again.
 */
import type { Init } from './cri/codec.ts'
import type {
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  FilesystemUsage,
  Image,
  ImageSpec,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStats,
  PodSandboxStatus,
  RuntimeHandler,
  RuntimeStatus,
  VersionResponse,
} from './cri/generated/cri.ts'

/** A failure that a runtime answered: `code` is gRPC's name of it (`NotFound`, `DeadlineExceeded`, `Unavailable`, `Unknown` …), the message is the runtime's. */
export class RuntimeError extends Error {
  override name = 'RuntimeError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What a command in a container gave. */
export interface ExecResult {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly exitCode: number
}

/** Which streams an exec or attach session has. */
export interface StreamOptions {
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly tty?: boolean
}

/** Something happened to a container or a sandbox. */
export interface RuntimeEvent {
  readonly id: string
  /** It runs no more. The runtime's lists may show that a moment later. */
  readonly ended: boolean
  /** Its pod's, where the runtime tells them. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** Narrows a list: to one sandbox, or to what has these labels. */
export interface RuntimeFilter {
  readonly id?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** What a runtime can do beyond the least, found when it was connected. */
export interface RuntimeFeatures {
  readonly handlers: readonly RuntimeHandler[]
  readonly supplementalGroupsPolicy: boolean
}

/** A container runtime. A failed call rejects with a `RuntimeError`. */
export interface ContainerRuntime {
  version(): Promise<VersionResponse>
  /** The conditions RuntimeReady and NetworkReady, and what the runtime can do. */
  status(): Promise<{ readonly status: RuntimeStatus; readonly features: RuntimeFeatures }>
  /** How it wants parents of cgroups named; undefined: it does not say, as containerd before 2.0. */
  cgroupDriver(): Promise<'cgroupfs' | 'systemd' | undefined>
  updatePodCidr(podCidr: string): Promise<void>

  /** Makes and starts a sandbox with its network. One with the same name, namespace, uid and attempt must not exist. */
  runSandbox(config: Init<PodSandboxConfig>, runtimeHandler: string): Promise<string>
  /** Ends all containers of the sandbox and gives its network back; one that is gone counts as stopped. */
  stopSandbox(sandboxId: string): Promise<void>
  /** Removes the sandbox and its containers, by force; one that is gone counts as removed. */
  removeSandbox(sandboxId: string): Promise<void>
  listSandboxes(filter?: RuntimeFilter): Promise<PodSandbox[]>
  /** Undefined when it is gone. */
  sandboxStatus(sandboxId: string): Promise<PodSandboxStatus | undefined>

  createContainer(
    sandboxId: string,
    config: Init<ContainerConfig>,
    sandboxConfig: Init<PodSandboxConfig>,
  ): Promise<string>
  startContainer(containerId: string): Promise<void>
  /** Stop signal, then SIGKILL after `graceSeconds`. A container that is gone or has ended counts as stopped. */
  stopContainer(containerId: string, graceSeconds: number): Promise<void>
  /** One that is gone counts as removed. */
  removeContainer(containerId: string): Promise<void>
  listContainers(filter?: RuntimeFilter): Promise<Container[]>
  /** Undefined when it is gone. */
  containerStatus(containerId: string): Promise<ContainerStatus | undefined>
  updateContainerResources(containerId: string, resources: Init<LinuxContainerResources>): Promise<void>
  /** Tells the runtime that the log file was moved away. */
  reopenContainerLog(containerId: string): Promise<void>
  /** Runs a command to its end; `timeoutMs` 0: no limit. A time-out rejects with the code DeadlineExceeded. */
  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>

  /** The runtime's streaming addresses: whoever connects there gets the session. */
  execUrl(containerId: string, command: readonly string[], streams: StreamOptions): Promise<string>
  attachUrl(containerId: string, streams: StreamOptions): Promise<string>
  portForwardUrl(sandboxId: string, ports: readonly number[]): Promise<string>

  /** What a container wrote, for runtimes that keep it in memory; absent: it is in the file that `logPath` says. */
  logLines?(containerId: string): Promise<readonly { readonly timeMs: number; readonly text: string }[]>

  containerStats(filter?: RuntimeFilter): Promise<ContainerStats[]>
  sandboxStats(filter?: RuntimeFilter): Promise<PodSandboxStats[]>

  /** Pulls an image and returns its reference. Without `auth`: anonymously. */
  pullImage(
    image: Init<ImageSpec>,
    auth: Init<AuthConfig> | undefined,
    sandboxConfig?: Init<PodSandboxConfig>,
  ): Promise<string>
  /** Undefined when the image is not on the node. */
  imageStatus(image: Init<ImageSpec>): Promise<Image | undefined>
  listImages(): Promise<Image[]>
  removeImage(image: Init<ImageSpec>): Promise<void>
  imageFilesystems(): Promise<FilesystemUsage[]>

  /** What happens to containers, their ends at least, where the runtime tells; ends or throws when it does not (any more). */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  close(): Promise<void>
}
