import { nodes } from '../api/generated/resources.ts'
import type { Node } from '../api/generated/types/core-v1.ts'
import type { Frozen } from '../api/resource.ts'
import type { RunCommand } from '../base/command.ts'
import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import type { Informer } from '../client/informer/informers.ts'
import type { Nft } from '../nftables/nft.ts'
import { removeCachedResults } from './cni/cached-results.ts'
import { configList } from './cni/config-list.ts'
import { findPlugins, removeConfigList, writeConfigList } from './cni/files.ts'
import { removeHostPortRules } from './cni/host-ports.ts'
import { defaultNodeNetworkConfig } from './config.ts'
import type { NodeNetworkConfig } from './config.ts'
import { deleteLink, readLinks } from './links.ts'
import { masqueradeSteps } from './masquerade.ts'
import { desiredRoutes, internalIps, podCidrsOf } from './routes/desired.ts'
import { readRoutes, routeChanges, runBatch } from './routes/kernel.ts'
import { hasSysctl, setSysctl } from './sysctl.ts'

/** What a node's network needs. */
export interface NodeNetworkOptions extends Deps {
  readonly client: Client
  /** Informers to share; absent: it makes its own. */
  readonly informers?: Informers
  readonly nodeName: string
  /** Runs programs in the node's network namespace. */
  readonly run: RunCommand
  /** The packet rules of that namespace. */
  readonly nft: Nft
  readonly config: Partial<NodeNetworkConfig> & Pick<NodeNetworkConfig, 'ipamDir'>
}

/** A node's network that is kept in line with the cluster. */
export interface NodeNetwork {
  /** Pods can be started: the node has its addresses, and the runtime its configuration. */
  readonly ready: Promise<void>
  /** Resolves when everything that was seen so far is done, or has failed. */
  settled(): Promise<void>
  /** Stops following; pods stay connected. `removeNodeNetwork` takes everything away. */
  close(): Promise<void>
}

/** A failure is tried again after this long. */
const retryMs = 2000
/** Routes that somebody else removed come back within this time. */
const resyncMs = 60_000

/** Connects a node's pods: waits for its block of addresses, then keeps configuration, routes and rules in line with the cluster's Nodes. */
export async function startNodeNetwork(options: NodeNetworkOptions): Promise<NodeNetwork> {
  const config: NodeNetworkConfig = { ...defaultNodeNetworkConfig, ...options.config }
  await findPlugins(config.cniBinDirs)
  const informers = options.informers ?? new Informers({ deps: options, client: options.client })
  const network = new NetworkLoop(options, config, informers.of(nodes))
  network.start()
  return {
    ready: network.ready,
    settled: () => network.settled(),
    async close() {
      await network.close()
      if (!options.informers) await informers.close()
    },
  }
}

class NetworkLoop {
  readonly #o: NodeNetworkOptions
  readonly #config: NodeNetworkConfig
  readonly #nodes: Informer<Node>
  readonly #ready = Promise.withResolvers<void>()
  #unsubscribe = () => {}
  #closed = false
  #dirty = false
  #running: Promise<void> | undefined
  #cancelLater: (() => void) | undefined
  /** What was written last, so that a change of other Nodes does not write it again. */
  #localState = ''

  constructor(options: NodeNetworkOptions, config: NodeNetworkConfig, informer: Informer<Node>) {
    this.#o = options
    this.#config = config
    this.#nodes = informer
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  start(): void {
    const changed = (node: Frozen<Node>, old?: Frozen<Node>) => {
      // Nodes report every few seconds; only few of their fields are of interest.
      if (!old || interest(node) !== interest(old)) this.#wake()
    }
    this.#unsubscribe = this.#nodes.on({ added: changed, updated: changed, deleted: (node) => changed(node) })
    this.#later(resyncMs)
  }

  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unsubscribe()
    this.#cancelLater?.()
    await this.#running
    // Whoever still waits must not wait for ever.
    this.#ready.resolve()
  }

  #wake(): void {
    this.#dirty = true
    if (this.#closed || this.#running) return
    this.#running = this.#loop().finally(() => (this.#running = undefined))
  }

  #later(ms: number): void {
    this.#cancelLater?.()
    this.#cancelLater = this.#o.clock.after(ms, () => this.#wake())
  }

  async #loop(): Promise<void> {
    await this.#nodes.synced
    while (this.#dirty && !this.#closed) {
      this.#dirty = false
      try {
        const complete = await this.#reconcile()
        this.#later(complete ? resyncMs : retryMs)
      } catch (error) {
        this.#o.log.error({ err: error }, 'the pod network could not be set up; it is tried again')
        this.#later(retryMs)
      }
    }
  }

  /** True when all is as it should be. */
  async #reconcile(): Promise<boolean> {
    const { nodeName, run } = this.#o
    const me = this.#nodes.get({ name: nodeName })
    const podCidrs = me ? podCidrsOf(me) : []
    const found = await readRoutes(run, this.#config.routeProtocol)
    const wanted = desiredRoutes({
      nodeName,
      nodes: this.#nodes.list(),
      clusterCidrs: this.#config.clusterCidrs,
      serviceCidrs: this.#config.serviceCidrs,
    })
    const failed = await runBatch(run, routeChanges(found, wanted, this.#config.routeProtocol))
    if (failed !== undefined)
      this.#o.log.warn(
        { ip: failed },
        "some routes could not be set; nodes must be on one link to reach each other's pods",
      )
    // Until the node has its block of addresses there is nothing to set up; its change wakes this.
    if (!me || podCidrs.length === 0) return failed === undefined
    await this.#setUpLocal(podCidrs, internalIps(me))
    this.#ready.resolve()
    return failed === undefined
  }

  async #setUpLocal(podCidrs: readonly string[], nodeIps: readonly string[]): Promise<void> {
    const { run, nft } = this.#o
    const mtu = this.#config.mtu ?? (await mtuOf(run, nodeIps))
    const state = JSON.stringify({ podCidrs, mtu })
    const tables = await nft.tables()
    const rulesThere = tables.some(({ name }) => name === this.#config.tableName)
    if (state !== this.#localState || !rulesThere) {
      const bridgedPacketsSeen = await setSysctls(run, podCidrs)
      await nft.apply(masqueradeSteps({ config: this.#config, podCidrs, bridgedPacketsSeen }))
    }
    // Last: the runtime says that the network is ready as soon as it sees the file.
    await writeConfigList(
      this.#config.cniConfigDir,
      this.#config.cniConfigName,
      configList({ bridge: this.#config.bridge, podCidrs, mtu, ipamDir: this.#config.ipamDir }),
    )
    this.#localState = state
  }
}

const interest = (node: Frozen<Node>) => JSON.stringify([node.metadata.name, podCidrsOf(node), internalIps(node)])

async function mtuOf(run: RunCommand, nodeIps: readonly string[]): Promise<number | undefined> {
  return (await readLinks(run)).find(({ addr_info }) => addr_info?.some(({ local }) => nodeIps.includes(local)))?.mtu
}

/** Lets the kernel forward, and show bridged packets to the rules. Says whether it does the latter. */
async function setSysctls(run: RunCommand, podCidrs: readonly string[]): Promise<boolean> {
  await setSysctl(run, 'net.ipv4.ip_forward', '1')
  if (podCidrs.some((cidr) => cidr.includes(':'))) await setSysctl(run, 'net.ipv6.conf.all.forwarding', '1')
  const bridged = 'net.bridge.bridge-nf-call-iptables'
  // The parameter appears with the module; without it there is another way (see masquerade.ts).
  if (!(await hasSysctl(run, bridged))) await run({ file: 'modprobe', args: ['br_netfilter'] }).catch(() => {})
  if (!(await hasSysctl(run, bridged))) return false
  await setSysctl(run, bridged, '1')
  await setSysctl(run, 'net.bridge.bridge-nf-call-ip6tables', '1').catch(() => {})
  return true
}

/** Takes everything of a node's network away: routes, rules, bridge, configuration, given addresses. What is not there is fine. */
export async function removeNodeNetwork(options: Pick<NodeNetworkOptions, 'run' | 'nft' | 'config'>): Promise<void> {
  const config: NodeNetworkConfig = { ...defaultNodeNetworkConfig, ...options.config }
  const { run, nft } = options
  await removeConfigList(config.cniConfigDir, config.cniConfigName, config.ipamDir)
  await runBatch(run, routeChanges(await readRoutes(run, config.routeProtocol), [], config.routeProtocol))
  const mine = (await nft.tables()).filter(({ name }) => name === config.tableName)
  await nft.apply(mine.map((table) => ({ do: 'delete table', table })))
  await removeHostPortRules(run)
  removeCachedResults(config.ipamDir)
  await deleteLink(run, config.bridge)
}
