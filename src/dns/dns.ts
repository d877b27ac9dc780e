import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informer/informers.ts'
import { newForwarder } from './forward/forwarder.ts'
import type { Upstream } from './forward/resolv-conf.ts'
import { listen } from './listen.ts'
import type { DnsAddress, Listening } from './listen.ts'
import { Responder } from './responder.ts'
import { ClusterZone } from './zone/cluster-zone.ts'
import { followCluster } from './zone/view.ts'

/** What the cluster's DNS needs. */
export interface DnsOptions extends Deps {
  readonly client: Client
  /** Informers to share; absent: it makes its own. */
  readonly informers?: Informers
  /** 'cluster.local' when absent. */
  readonly clusterDomain?: string
  readonly listen: readonly DnsAddress[]
  /** Who is asked for names that are not the cluster's: see `readUpstreams`. With none, such questions fail. */
  readonly upstreams?: readonly Upstream[]
  /** How long clients may keep an answer, in seconds. 30 when absent. */
  readonly ttlSeconds?: number
}

/** A DNS server that runs. */
export interface Dns {
  /** Where it listens, in the order of the options, with the ports that port 0 became. */
  readonly addresses: readonly DnsAddress[]
  /** It knows the whole cluster; before that, questions about it fail. */
  readonly synced: Promise<void>
  close(): Promise<void>
}

const defaultTtlSeconds = 30

/** Answers for the cluster's names after the Kubernetes DNS specification, and forwards the rest. Rejects when an address cannot be opened. */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const informers = options.informers ?? new Informers({ deps: options, client: options.client })
  // The first changes come while it is being made.
  let responder: Responder | undefined
  let changes = Math.floor(options.clock.now() / 1000)
  const view = followCluster(informers, () => {
    changes++
    responder?.forget()
  })
  const zone = new ClusterZone(
    {
      domain: (options.clusterDomain ?? 'cluster.local').toLowerCase().replace(/\.$/, ''),
      ttl: options.ttlSeconds ?? defaultTtlSeconds,
      serial: () => changes >>> 0,
    },
    view,
  )
  const forwarder = newForwarder(options, withoutOwn(options.upstreams ?? [], options.listen))
  const made = (responder = new Responder({ deps: options, zone, forwarder, ready: view.hasSynced }))
  const listening: Listening[] = []
  const close = async () => {
    view.stop()
    forwarder.close()
    await Promise.all(listening.map((one) => one.close()))
    if (!options.informers) await informers.close()
  }
  try {
    for (const address of options.listen) listening.push(await listen(address, made, options.log))
  } catch (error) {
    await close()
    throw error
  }
  const probed = forwarder.probe()
  return {
    addresses: listening.map(({ host, port }) => ({ host, port })),
    synced: view.synced,
    async close() {
      await close()
      await probed
    },
  }
}

/** Asking ourselves would never end. */
const withoutOwn = (upstreams: readonly Upstream[], own: readonly DnsAddress[]) =>
  upstreams.filter(({ address, port }) => !own.some(({ host, port: ownPort }) => host === address && ownPort === port))
