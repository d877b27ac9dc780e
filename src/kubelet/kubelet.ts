import type { Pod } from '../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../api/resource.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { eventRecorder } from '../client/events/recorder.ts'
import { Informers } from '../client/informer/informers.ts'
import type { ContainerRuntime, StreamOptions } from '../runtime/runtime.ts'
import { settingsOf, type KubeletConfiguration } from './config.ts'
import type { Host } from './host/host.ts'
import { exposeMetrics } from './kubelet-metrics.ts'
import { KubeletParts } from './kubelet-parts.ts'
import { runLoops } from './kubelet-loops.ts'
import type { ContainerState } from './runtime-state/pod-state.ts'
import type { PodObjects } from './sources/object-reader.ts'
import { watchedPods, type PodSource } from './sources/pod-source.ts'
import type { NodeStats } from './stats/pod-stats.ts'
import { upstreamVersion } from './version.ts'

/** How a kubelet is started. */
export interface KubeletOptions extends Deps {
  readonly client: Client
  readonly runtime: ContainerRuntime
  readonly nodeName: string
  /** KubeletConfiguration under upstream's names; every field has its default. */
  readonly config?: KubeletConfiguration
  /** Where pods' volumes and the kubelet's own files lie. Default /var/lib/kubelet. */
  readonly rootDir?: string
  /** Links by which log shippers find containers' logs. Default /var/log/containers. */
  readonly containerLogsDir?: string
  /** The node's host name, for its label and address. Default: the node's name. */
  readonly hostname?: string
  /** The node's addresses, the primary first. Default: that of the default route. */
  readonly nodeIps?: readonly string[]
  /** More labels for the node. */
  readonly nodeLabels?: Readonly<Record<string, string>>
  /** Where the kubelet's HTTPS server listens: the node's object tells it. Default 10250. */
  readonly port?: number
  /** What the node says it is. Default: upstream's version that this package speaks. */
  readonly kubeletVersion?: string
  /** Informers to share with others of this process, for services. Default: its own, closed with it. */
  readonly informers?: Informers
  /** The node's pods. Default: a watch of its own; `PodsByNode` gives many nodes one. */
  readonly pods?: PodSource
  /** Reads the objects that pods refer to. Default: a watch for each; `SharedObjects` gives many nodes one for all. */
  readonly objects?: PodObjects
  /** The machine. Default: this one. */
  readonly host?: Host
}

/** A kubelet that runs. */
export interface Kubelet {
  readonly nodeName: string
  /** The pods on the node as they are now: the API's object with the status that the kubelet last made of it. */
  pods(): readonly Frozen<Pod>[]
  pod(key: ObjectKey): Frozen<Pod> | undefined
  /** The newest container of that name, or the one before it. */
  container(key: ObjectKey, name: string, previous?: boolean): Promise<ContainerState | undefined>
  /** The file of a container's log; undefined when it has none (yet). */
  containerLogPath(key: ObjectKey, name: string, previous?: boolean): Promise<string | undefined>
  /** The runtime's streaming address for a session. Rejects when there is no such container or it does not run. */
  execUrl(key: ObjectKey, container: string, command: readonly string[], streams: StreamOptions): Promise<string>
  attachUrl(key: ObjectKey, container: string, streams: StreamOptions): Promise<string>
  portForwardUrl(key: ObjectKey, ports: readonly number[]): Promise<string>
  /** Runs a command to its end. */
  run(
    key: ObjectKey,
    container: string,
    command: readonly string[],
  ): Promise<{ readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly exitCode: number }>
  /** What pods and the node use. */
  stats(): Promise<NodeStats>
  /** Why it is not healthy; undefined when it is. */
  fault(): string | undefined
  /** Resolves when the pods that were there at the start are known. */
  readonly synced: Promise<void>
  /** Stops; what runs goes on running. */
  close(): Promise<void>
}

/** Starts a kubelet: registers the node, brings its pods up and keeps them so. Containers that run already are adopted. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, runtime, nodeName, clock, random, log, metrics } = options
  const deps: Deps = { clock, random, log: log.child({ component: 'kubelet', node: nodeName }), metrics }
  const settings = settingsOf(options.config ?? {})
  const hostname = options.hostname ?? nodeName
  const rootDir = options.rootDir ?? '/var/lib/kubelet'
  const kubeletVersion = options.kubeletVersion ?? upstreamVersion
  const host =
    options.host ?? (await realHost({ ...options, ...deps }, { settings, hostname, rootDir, kubeletVersion }))
  const informers = options.informers ?? new Informers({ deps, client })
  const parts = new KubeletParts({
    ...deps,
    client,
    runtime,
    host,
    settings,
    nodeName,
    hostname,
    informers,
    labels: options.nodeLabels ?? {},
    port: options.port ?? 10_250,
    objects: options.objects,
    source: options.pods ?? watchedPods(informers, nodeName),
    recorder: eventRecorder({ deps, client, component: 'kubelet', host: nodeName }),
    runtimeName: (await runtime.version()).runtimeName,
  })
  // Many simulated nodes share their process's metrics: counts of each would overwrite each other.
  if (host.needsUpkeep) exposeMetrics(parts)
  const stopped = new AbortController()
  await runLoops(parts, stopped.signal)
  return {
    ...parts.interface(),
    nodeName,
    synced: parts.source.synced,
    async close() {
      stopped.abort(new Error('the kubelet is stopping'))
      await parts.close()
      if (!options.informers) await informers.close()
    },
  }
}

interface HostChoice {
  readonly settings: ReturnType<typeof settingsOf>
  readonly hostname: string
  readonly rootDir: string
  readonly kubeletVersion: string
}

async function realHost(options: KubeletOptions, choice: HostChoice): Promise<Host> {
  const { linuxHost } = await import('./host/linux/linux-host.ts')
  return linuxHost({
    ...options,
    ...choice,
    nodeIps: options.nodeIps ?? [],
    containerLogsDir: options.containerLogsDir ?? '/var/log/containers',
    // The runtime knows best: with the other driver, no sandbox would start.
    cgroupDriver:
      (await options.runtime.cgroupDriver()) ?? (options.config?.cgroupDriver === 'systemd' ? 'systemd' : 'cgroupfs'),
  })
}
