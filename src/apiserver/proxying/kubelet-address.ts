import { badRequest, notFound, serviceUnavailable } from '../../api/errors/api-error.ts'
import { nodes } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { KubeletClientOptions } from '../options.ts'
import type { Target } from '../../streaming/upgrade/forward.ts'
import type { Lookup } from '../registry/registry.ts'

/** The origin of a server. Bare IPv6 addresses get their brackets. */
export const originOf = (scheme: 'http' | 'https', host: string, port: number | string): URL =>
  new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`)

const defaultTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']
const kubeletPort = 10250

/** Where a node's kubelet is. Throws 404 and, for a node without addresses, 503. */
export function kubeletTarget(lookup: Lookup, options: KubeletClientOptions | undefined, name: string): Target {
  const node = lookup.get(nodes, { name })
  if (!node) throw notFound(nodes, name)
  const addresses = node.status?.addresses ?? []
  for (const type of options?.addressTypes ?? defaultTypes) {
    const found = addresses.find((address) => address.type === type && address.address)
    if (found)
      return {
        origin: originOf('https', found.address, node.status?.daemonEndpoints?.kubeletEndpoint?.Port || kubeletPort),
        tls: { cert: options?.cert, key: options?.key, ca: options?.ca },
      }
  }
  throw serviceUnavailable(`no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`)
}

/** The container that is meant: the one that is named, or the only one. */
export function containerOf(pod: Frozen<Pod>, asked: string | undefined): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const all = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name)
  const name = pod.metadata?.name
  if (!asked) {
    if (containers.length === 1) return containers[0]!.name
    throw badRequest(
      `a container name must be specified for pod ${name}${containers.length === 0 ? '' : `, choose one of: [${all.join(' ')}]`}`,
    )
  }
  if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`)
  return asked
}
