import { isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { nodes } from '../../api/generated/resources.ts'
import type { Node, NodeCondition, NodeStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/recorder.ts'
import type { ContainerRuntime, RuntimeFeatures } from '../../runtime/runtime.ts'
import type { RuntimeStatus } from '../../runtime/cri/generated/cri.ts'
import type { KubeletSettings } from '../config.ts'
import type { Machine } from '../host/host.ts'
import { same } from '../status/status-patch.ts'
import type { Pressures } from './node-conditions.ts'
import { readNode } from './node-status.ts'

/** Who reports which node. */
export interface NodeReporterOptions extends Deps {
  readonly client: Client
  readonly runtime: ContainerRuntime
  readonly machine: Machine
  readonly settings: KubeletSettings
  readonly nodeName: string
  readonly hostname: string
  readonly labels: Readonly<Record<string, string>>
  readonly port: number
  readonly events: EventRecorder
  readonly pressures: () => Pressures
  readonly volumesInUse: () => readonly string[]
}

/** How long a registration that fails waits, at first and at most. */
const registerFirstMs = 100
const registerMaxMs = 7000

/** Registers the node and keeps its status true. */
export class NodeReporter {
  readonly #options: NodeReporterOptions
  #node: Frozen<Node> | undefined
  #reading:
    | {
        readonly status: NodeStatus
        readonly runtime: RuntimeStatus | undefined
        readonly features: RuntimeFeatures | undefined
      }
    | undefined
  #reportedMs = 0
  #podCidr = ''

  constructor(options: NodeReporterOptions) {
    this.#options = options
  }

  /** The node as the API server last had it. */
  get node(): Frozen<Node> | undefined {
    return this.#node
  }

  /** What was last read of the machine and the runtime. */
  get reading() {
    return this.#reading
  }

  /** The node as the API server has it now. */
  async refresh(): Promise<Frozen<Node> | undefined> {
    this.#node = await this.#options.client.get(nodes, { name: this.#options.nodeName }).catch(() => this.#node) // Unreachable: what is known must do.
    return this.#node
  }

  /** Reads machine and runtime; pods need it before the node is registered. */
  async read(): Promise<NodeStatus> {
    const { machine, runtime, settings, port, clock } = this.#options
    const before = this.#reading
    this.#reading = await readNode(
      {
        machine,
        runtime,
        settings,
        port,
        pressures: this.#options.pressures(),
        volumesInUse: this.#options.volumesInUse(),
        nowMs: clock.now(),
      },
      this.#node,
    )
    if (this.#node === undefined && before)
      this.#reading = {
        ...this.#reading,
        status: {
          ...this.#reading.status,
          conditions: keepTimes(this.#reading.status.conditions ?? [], before.status.conditions ?? []),
        },
      }
    return this.#reading.status
  }

  /** Makes the node's object, or takes over the one there is; tried until it works. */
  async register(signal: AbortSignal): Promise<void> {
    const { clock, log, nodeName } = this.#options
    let waitMs = registerFirstMs
    while (!signal.aborted) {
      try {
        this.#node = await this.#createOrAdopt(await this.read())
        log.info({ node: nodeName }, 'the node is registered')
        return
      } catch (error) {
        log.warn({ err: error, node: nodeName }, 'the node could not be registered; it is tried again')
        await clock.sleep(waitMs, signal)
        waitMs = Math.min(registerMaxMs, waitMs * 2)
      }
    }
  }

  /** Reads anew, and writes when something of weight changed or the last report is old. */
  async report(): Promise<void> {
    const { client, clock, settings, nodeName } = this.#options
    // Others write into the node, too: resources, taints, volumes.
    await this.refresh()
    const status = await this.read()
    const previous = this.#node
    if (!previous) return
    const due = clock.now() - this.#reportedMs >= settings.nodeStatusReportMs
    if (!due && !weighty(previous.status ?? {}, status)) return
    try {
      this.#node = await client.patch(nodes, { name: nodeName }, patchOf(previous.status ?? {}, status), {
        type: 'strategic',
        subresource: 'status',
      })
    } catch (error) {
      if (isNotFound(error) && settings.registerNode) this.#node = await this.#createOrAdopt(status)
      else throw error
    }
    this.#reportedMs = clock.now()
    this.#tellChanges(previous.status?.conditions ?? [], status.conditions ?? [])
    await this.#passPodCidr()
  }

  async #createOrAdopt(status: NodeStatus): Promise<Frozen<Node>> {
    const { client, settings, nodeName } = this.#options
    const labels = this.#labels(status)
    const fresh: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: nodeName,
        labels,
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: {
        ...(settings.providerId && { providerID: settings.providerId }),
        ...(settings.registerWithTaints.length > 0 && {
          taints: settings.registerWithTaints.map((taint) => ({ ...taint })),
        }),
      },
      status,
    }
    try {
      const made = await client.create(nodes, fresh)
      this.#reportedMs = this.#options.clock.now()
      this.#tellChanges([], status.conditions ?? [])
      return made
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    const known = await client.get(nodes, { name: nodeName })
    const missing = Object.fromEntries(
      Object.entries(labels).filter(([key, value]) => known.metadata.labels?.[key] !== value),
    )
    if (Object.keys(missing).length > 0)
      await client.patch(nodes, { name: nodeName }, { metadata: { labels: missing } }, { type: 'strategic' })
    const adopted = await client.patch(
      nodes,
      { name: nodeName },
      patchOf(known.status ?? {}, {
        ...status,
        conditions: keepTimes(status.conditions ?? [], known.status?.conditions ?? []),
      }),
      { type: 'strategic', subresource: 'status' },
    )
    this.#reportedMs = this.#options.clock.now()
    this.#tellChanges(known.status?.conditions ?? [], status.conditions ?? [])
    return adopted
  }

  #labels({ nodeInfo }: NodeStatus): Record<string, string> {
    const [os, arch] = [nodeInfo?.operatingSystem ?? 'linux', nodeInfo?.architecture ?? 'amd64']
    return {
      'beta.kubernetes.io/arch': arch,
      'beta.kubernetes.io/os': os,
      'kubernetes.io/arch': arch,
      'kubernetes.io/hostname': this.#options.hostname,
      'kubernetes.io/os': os,
      ...this.#options.labels,
    }
  }

  /** The runtime writes the network's configuration from it where it is set up to. */
  async #passPodCidr(): Promise<void> {
    const cidr = this.#node?.spec?.podCIDRs?.join(',') || this.#node?.spec?.podCIDR || ''
    if (cidr === '' || cidr === this.#podCidr) return
    await this.#options.runtime.updatePodCidr(cidr)
    this.#podCidr = cidr
  }

  #tellChanges(before: readonly Frozen<NodeCondition>[], after: readonly Frozen<NodeCondition>[]): void {
    const { events, nodeName } = this.#options
    // Upstream's node events refer to the node by its name in place of the UID.
    const subject = { reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } }
    for (const { type, status } of after) {
      const earlier = before.find((one) => one.type === type)
      // A new node has not become unready: it has never been ready.
      if (earlier?.status === status || (!earlier && type === 'Ready' && status !== 'True')) continue
      const reason = reasons[type]?.[status === 'True' ? 0 : 1]
      if (reason) events.event(subject, 'Normal', reason, `Node ${nodeName} status is now: ${reason}`)
    }
  }
}

/** By condition: the event when it becomes true, and when it does not. */
const reasons: Readonly<Record<string, readonly [string, string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
}

function keepTimes(conditions: readonly NodeCondition[], known: readonly Frozen<NodeCondition>[]): NodeCondition[] {
  return conditions.map((condition) => {
    const before = known.find(({ type }) => type === condition.type)
    return before?.status === condition.status && before.lastTransitionTime
      ? { ...condition, lastTransitionTime: before.lastTransitionTime }
      : condition
  })
}

/** Heartbeats alone are no news. */
function weighty(before: Frozen<NodeStatus>, after: Frozen<NodeStatus>): boolean {
  const bare = (status: Frozen<NodeStatus>) => ({
    ...status,
    config: undefined,
    volumesAttached: undefined,
    images: status.images?.length ? status.images : undefined,
    conditions: (status.conditions ?? [])
      .map(({ type, status: value, reason, message }) => ({ type, value, reason, message }))
      .sort((a, b) => (a.type < b.type ? -1 : 1)),
  })
  return !same(bare(before), bare(after))
}

/** The amounts that changed; null for those that are no more. */
function changesOf(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string | null> {
  const gone = Object.keys(before).filter((name) => after[name] === undefined)
  return Object.fromEntries([
    ...gone.map((name) => [name, null] as const),
    ...Object.entries(after).filter(([name, amount]) => before[name] !== amount),
  ])
}

/** Addresses are merged by type, of which there may be several: the list is replaced. */
function patchOf(before: Frozen<NodeStatus>, after: Frozen<NodeStatus>): object {
  const status: Record<string, unknown> = { conditions: after.conditions }
  const [old, fresh]: [Record<string, unknown>, Record<string, unknown>] = [{ ...before }, { ...after }]
  for (const name of Object.keys(fresh)) {
    if (name === 'conditions' || same(old[name], fresh[name])) continue
    if (name === 'addresses' && old[name] !== undefined)
      status[name] = [{ $patch: 'replace' }, ...(after.addresses ?? [])]
    else if (name === 'capacity' || name === 'allocatable')
      status[name] = changesOf(before[name] ?? {}, after[name] ?? {})
    else status[name] = fresh[name]
  }
  if (old['volumesInUse'] !== undefined && fresh['volumesInUse'] === undefined) status['volumesInUse'] = null
  return { status }
}
