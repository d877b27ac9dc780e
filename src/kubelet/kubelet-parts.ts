import { runtimeClasses } from '../api/generated/resources.ts'
import type { Node, Pod, Volume } from '../api/generated/types/core-v1.ts'
import { isNotFound } from '../api/errors/api-error.ts'
import type { Frozen, ObjectKey } from '../api/resource.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events/recorder.ts'
import type { Informers } from '../client/informer/informers.ts'
import type { ContainerRuntime, StreamOptions } from '../runtime/runtime.ts'
import type { KubeletSettings } from './config.ts'
import { PodCollector } from './gc/pod-collector.ts'
import type { Host } from './host/host.ts'
import { Images } from './images/ensure-image.ts'
import { networkFault } from './node/node-conditions.ts'
import { NodeReporter } from './node/node-reporter.ts'
import { NodePressure } from './eviction/node-pressure.ts'
import { podEvents } from './pod-events.ts'
import { wholeAmount } from './pod/amount.ts'
import { admit } from './pod-worker/admission.ts'
import { BackOff } from './pod-worker/back-off.ts'
import { Pods } from './pod-worker/pods.ts'
import type { NodeState, PodEvents, PodServices } from './pod-worker/services.ts'
import { Probes } from './probes/probes.ts'
import { ProbeResults } from './probes/probe-results.ts'
import { Pleg } from './runtime-state/pleg.ts'
import { ipsOf, type ContainerState } from './runtime-state/pod-state.ts'
import { RuntimeState } from './runtime-state/runtime-state.ts'
import type { PodSource } from './sources/pod-source.ts'
import { StaticPods } from './sources/static-pods.ts'
import type { PodObjects } from './sources/object-reader.ts'
import { WatchedObjects } from './sources/watched-objects.ts'
import { readStats } from './stats/pod-stats.ts'
import { StatusWriter } from './status/status-writer.ts'
import type { MountedVolume, PodVolumes } from './volumes/pod-volumes.ts'

/** What a kubelet is put together from. */
export interface PartsOptions extends Deps {
  readonly client: Client
  readonly runtime: ContainerRuntime
  readonly host: Host
  readonly settings: KubeletSettings
  readonly nodeName: string
  readonly hostname: string
  readonly labels: Readonly<Record<string, string>>
  readonly port: number
  readonly informers: Informers
  readonly source: PodSource
  /** Default: a watch for each object that a pod refers to. */
  readonly objects: PodObjects | undefined
  readonly recorder: EventRecorder
  /** 'containerd' */
  readonly runtimeName: string
}

/** The first wait of a container that ended; it doubles up to the configuration's. */
const restartBackOffFirstMs = 10_000
/** A runtime that could not be listed for so long is not healthy. */
const plegFaultMs = 3 * 60_000

/** The parts of one kubelet, wired together. Nothing runs yet. */
export class KubeletParts {
  readonly options: PartsOptions
  readonly source: PodSource
  readonly state: RuntimeState
  readonly reporter: NodeReporter
  readonly pressure: NodePressure
  readonly volumes: PodVolumes
  readonly pods: Pods
  readonly probes: Probes
  readonly pleg: Pleg
  readonly statuses: StatusWriter
  readonly objects: PodObjects
  readonly collector: PodCollector
  readonly statics: StaticPods
  readonly services: PodServices
  /** Pods of the API have been told of: what runs without one is an orphan. */
  sourcesReady = false

  constructor(options: PartsOptions) {
    this.options = options
    this.source = options.source
    const { runtime, host, settings, client, clock, log } = options
    const deps: Deps = { clock, log, random: options.random, metrics: options.metrics }
    const events: PodEvents = podEvents(options.recorder)
    const results = new ProbeResults()
    this.state = new RuntimeState({ runtime, terminationMessage: (status) => host.files.terminationMessage(status) })
    this.objects =
      options.objects ??
      new WatchedObjects({ ...deps, client, informers: options.informers, changed: (uid) => this.pods.wake(uid) })
    this.pressure = new NodePressure({ clock, settings, machine: host.machine })
    this.reporter = this.#newReporter(deps)
    const images = new Images({ runtime, clock, serializeImagePulls: settings.serializeImagePulls })
    this.volumes = host.volumes({
      ...deps,
      client,
      objects: this.objects,
      facts: () => this.node(),
      podIps: (uid) =>
        ipsOf(this.state.known(uid) ?? { uid, name: '', namespace: '', sandboxes: [], containers: [], observedAt: 0 }),
      image: (pod, volume) => this.#imageVolume(pod, volume, { images, events }),
    })
    this.services = {
      ...deps,
      runtime,
      state: this.state,
      host,
      settings,
      images,
      volumes: this.volumes,
      objects: this.objects,
      events,
      probes: results,
      restarts: new BackOff(
        clock,
        Math.min(restartBackOffFirstMs, settings.restartBackOffMaxMs),
        settings.restartBackOffMaxMs,
      ),
      runtimeHandler: (pod) => this.#runtimeHandler(pod),
      node: () => this.node(),
      acted: () => this.pleg.expectChange(),
    }
    this.probes = new Probes({
      deps,
      runtime,
      dial: host.dial,
      events,
      results,
      hostIps: () => this.node().hostIps,
      changed: (uid) => this.pods.probed(uid),
    })
    this.statics = this.#newStatics(deps)
    this.statuses = new StatusWriter({ deps, client, current: (pod) => this.statics.apiPodOf(pod) })
    this.pods = this.#newPods()
    this.collector = new PodCollector({
      runtime,
      host,
      volumes: this.volumes,
      log,
      isKnown: (uid) => this.pods.get(uid) !== undefined,
    })
    this.pleg = new Pleg({
      ...deps,
      runtime,
      state: this.state,
      changed: (uid) => this.pods.wake(uid),
      looked: (present) => this.endOrphans(present),
    })
  }

  #newReporter(deps: Deps): NodeReporter {
    const { client, runtime, host, settings, nodeName, hostname, labels, port, recorder } = this.options
    return new NodeReporter({
      ...deps,
      client,
      runtime,
      machine: host.machine,
      settings,
      nodeName,
      hostname,
      labels,
      port,
      events: recorder,
      pressures: () => this.pressure.conditions(),
      volumesInUse: () => this.volumes.inUse(),
    })
  }

  #newStatics(deps: Deps): StaticPods {
    const { client, settings, nodeName } = this.options
    return new StaticPods({
      ...deps,
      client,
      nodeName,
      nodeUid: () => this.reporter.node?.metadata.uid,
      folder: settings.staticPodPath,
      source: this.source,
      changed: (pod) => this.pods.changed(pod),
      removed: (pod) => this.pods.removed(pod),
      mirrored: (pod) => this.statuses.check(pod.metadata.uid ?? ''),
    })
  }

  #newPods(): Pods {
    return new Pods({
      services: this.services,
      probes: this.probes,
      statuses: this.statuses,
      runtimeName: this.options.runtimeName,
      admit: (pod, active) => this.#admit(pod, active),
      came: (pod) => this.#came(pod),
      gone: (uid) => this.#gone(uid),
    })
  }

  /** The node as pods see it. */
  node(): NodeState {
    const { reading } = this.reporter
    if (!this.#node || this.#node.reading !== reading)
      this.#node = { reading, state: nodeState(reading, this.resolver) }
    return this.#node.state
  }

  /** Made once for each reading of the node. */
  #node: { readonly reading: NodeReporter['reading']; readonly state: NodeState } | undefined

  /** The node's own resolver, read at the start. */
  resolver: NodeState['resolver'] = { servers: [], searches: [], options: [] }

  /** Ends what runs without a pod. */
  endOrphans(present: ReadonlySet<string>): void {
    if (!this.sourcesReady) return
    for (const uid of present) {
      const state = this.pods.get(uid) || this.collector.isCollecting(uid) ? undefined : this.state.known(uid)
      if (state) this.pods.endOrphan(state)
    }
  }

  interface() {
    const { runtime } = this.options
    const find = (key: ObjectKey) => this.#find(key)
    const container = async (key: ObjectKey, name: string, previous = false) => this.#container(key, name, previous)
    const running = async (key: ObjectKey, name: string): Promise<string> => {
      const found = await container(key, name)
      if (found?.phase !== 'running') throw new Error(`container not found ("${name}")`)
      return found.id
    }
    return {
      pods: () => this.pods.known().map((pod) => this.#withStatus(pod)),
      pod: find,
      container,
      containerLogPath: async (key: ObjectKey, name: string, previous = false) =>
        (await container(key, name, previous))?.logPath || undefined,
      execUrl: async (key: ObjectKey, name: string, command: readonly string[], streams: StreamOptions) =>
        runtime.execUrl(await running(key, name), command, streams),
      attachUrl: async (key: ObjectKey, name: string, streams: StreamOptions) =>
        runtime.attachUrl(await running(key, name), streams),
      portForwardUrl: async (key: ObjectKey, ports: readonly number[]) => {
        const sandbox = this.state.known(find(key)?.metadata.uid ?? '')?.sandboxes.find(({ ready }) => ready)
        if (!sandbox) throw new Error(`failed to find sandbox for pod "${key.name}"`)
        return runtime.portForwardUrl(sandbox.id, ports)
      },
      run: async (key: ObjectKey, name: string, command: readonly string[]) =>
        runtime.execSync(await running(key, name), command, 0),
      stats: () => readStats(this),
      fault: () =>
        this.options.clock.now() - this.pleg.lookedMs > plegFaultMs
          ? 'pleg was last seen active more than 3m0s ago'
          : undefined,
    }
  }

  async close(): Promise<void> {
    this.pods.close()
    this.probes.close()
    this.statuses.close()
    this.statics.close()
    await this.objects.close()
    await this.options.recorder.close()
  }

  #find({ namespace, name }: ObjectKey): Frozen<Pod> | undefined {
    const pod = this.pods.known().findLast(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
    return pod && this.#withStatus(pod)
  }

  #withStatus(pod: Frozen<Pod>): Frozen<Pod> {
    const status = this.statuses.get(pod.metadata.uid ?? '')
    return status ? { ...pod, status } : pod
  }

  async #container(key: ObjectKey, name: string, previous: boolean): Promise<ContainerState | undefined> {
    const pod = this.#find(key)
    if (!pod) return undefined
    const state = await this.state.pod(
      { uid: pod.metadata.uid ?? '', name: key.name, namespace: key.namespace ?? '' },
      this.state.mark(),
    )
    return state.containers.filter((one) => one.name === name)[previous ? 1 : 0]
  }

  async #admit(pod: Frozen<Pod>, active: readonly Frozen<Pod>[]) {
    const { settings } = this.options
    const ask = (node: Frozen<Node> | undefined) =>
      admit(pod, {
        active,
        node,
        allocatable: this.node().allocatable,
        allowedUnsafeSysctls: settings.allowedUnsafeSysctls,
        pressures: this.pressure.conditions(),
      })
    const rejection = ask(this.reporter.node)
    // The node's labels and taints may be newer than what we know.
    return rejection && ['NodeAffinity', 'TaintToleration'].includes(rejection.reason)
      ? ask(await this.reporter.refresh())
      : rejection
  }

  #came(pod: Frozen<Pod>): void {
    this.objects.register(pod)
    this.#updateClasses()
  }

  #gone(uid: string): void {
    this.objects.unregister(uid)
    this.#updateClasses()
    this.collector
      .collect(uid)
      .catch((error: unknown) =>
        this.options.log.warn({ err: error, uid }, 'what a pod left behind could not be removed; it is tried again'),
      )
  }

  #updateClasses(): void {
    this.options.host.cgroups
      .updateClasses(this.pods.active())
      .catch((error: unknown) =>
        this.options.log.warn({ err: error }, 'the cgroups of the classes could not be updated'),
      )
  }

  async #runtimeHandler(pod: Frozen<Pod>): Promise<string> {
    const name = pod.spec?.runtimeClassName
    if (!name) return ''
    try {
      return (await this.options.client.get(runtimeClasses, { name })).handler
    } catch (error) {
      if (isNotFound(error))
        throw new Error(`failed to get sandbox runtime: RuntimeClass "${name}" not found`, { cause: error })
      throw error
    }
  }

  async #imageVolume(
    pod: Frozen<Pod>,
    volume: Frozen<Volume>,
    { images, events }: { images: Images; events: PodEvents },
  ): Promise<MountedVolume> {
    const { reference = '', pullPolicy } = volume.image ?? {}
    const runtimeHandler = await this.#runtimeHandler(pod)
    const { image } = await images.ensure({
      pod,
      image: reference,
      policy: pullPolicy,
      secrets: [],
      sandboxConfig: {},
      runtimeHandler,
      tell: (type, reason, message) => events.pod(pod, type, reason, message),
    })
    return {
      hostPath: '',
      readOnly: true,
      image: { spec: { image: image.id, userSpecifiedImage: reference, runtimeHandler }, subPath: '' },
    }
  }
}

function nodeState(reading: NodeReporter['reading'], resolver: NodeState['resolver']): NodeState {
  const status = reading?.status
  return {
    allocatable: status?.allocatable ?? {},
    memoryBytes: wholeAmount(status?.capacity?.['memory']),
    hostIps: (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    resolver,
    networkFault: networkFault(reading?.runtime),
    recursiveReadOnlyHandlers: new Set(
      (reading?.features?.handlers ?? [])
        .filter(({ features }) => features?.recursiveReadOnlyMounts)
        .map(({ name }) => name),
    ),
  }
}
