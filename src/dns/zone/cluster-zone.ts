import { isIPv4, isIPv6 } from 'node:net'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Answer, DnsRecord } from '../wire/answer.ts'
import type { RecordType } from '../wire/query.ts'
import { addressOfReverseName } from './reverse.ts'
import { endpointLabel, isPublished } from './view.ts'
import type { ClusterView } from './view.ts'

/** The zone's settings. */
export interface ZoneOptions {
  /** 'cluster.local' */
  readonly domain: string
  /** How long clients may keep an answer. */
  readonly ttl: number
  /** The zone's serial number; grows with every change. */
  readonly serial: () => number
}

/** What a question in the zone gets. `follow`: the answer is an alias for a name outside of the zone, whose addresses somebody else knows. */
export type ZoneAnswer = Answer & { readonly follow?: string }

/** Of the DNS specification that this zone follows. */
const specificationVersion = '1.1.0'

/** So many aliases are followed, one after the other. */
const aliasesMax = 8

/** What stands at a name: its records by type, and those that help. Undefined: there is no such name. */
interface Found {
  readonly records: readonly DnsRecord[]
  readonly additionals?: readonly DnsRecord[]
}

/** Answers questions about names of the cluster, from what was seen. Pure but for `view`. */
export class ClusterZone {
  readonly #o: ZoneOptions
  readonly #view: ClusterView
  readonly #labels: number

  constructor(options: ZoneOptions, view: ClusterView) {
    this.#o = options
    this.#view = view
    this.#labels = options.domain.split('.').length
  }

  /** Whether a name is the zone's. */
  has(name: string): boolean {
    return name === this.#o.domain || name.endsWith(`.${this.#o.domain}`)
  }

  /** The answer to a question about a name of the zone. `type` is undefined for types that have no records here. */
  answer(name: string, type: RecordType | 'ANY' | undefined): ZoneAnswer {
    const found = this.#find(name)
    if (!found) return { code: 'NXDOMAIN', answers: [], authorities: [this.#soa()], additionals: [] }
    const alias = found.records.find((record) => record.type === 'CNAME')
    if (alias) return this.#followed(alias, type)
    const answers = type === undefined ? [] : found.records.filter((record) => type === 'ANY' || record.type === type)
    if (answers.length === 0) return { code: 'NOERROR', answers, authorities: [this.#soa()], additionals: [] }
    return { code: 'NOERROR', answers, authorities: [], additionals: type === 'SRV' ? (found.additionals ?? []) : [] }
  }

  /** The name of an address of the cluster; undefined when the cluster does not know it. */
  reverse(name: string): Answer | undefined {
    const address = addressOfReverseName(name)
    if (address === undefined) return undefined
    const targets = this.#view
      .servicesAt(address)
      .map((service) => this.#serviceName(service.metadata.namespace ?? '', service.metadata.name ?? ''))
    if (targets.length === 0)
      targets.push(...this.#view.slicesAt(address).flatMap((slice) => this.#endpointNames(slice, address)))
    if (targets.length === 0) return undefined
    return {
      code: 'NOERROR',
      answers: [...new Set(targets)].sort().map((data) => this.#record(name, 'PTR', data)),
      authorities: [],
      additionals: [],
    }
  }

  #followed(alias: DnsRecord, type: RecordType | 'ANY' | undefined): ZoneAnswer {
    const answers = [alias]
    const rest = { code: 'NOERROR', authorities: [], additionals: [] } as const
    if (type === 'CNAME' || type === 'ANY') return { ...rest, answers }
    // Aliases of aliases too: the C library of most clients does not ask again.
    for (let last: DnsRecord | undefined = alias; last;) {
      const target = String(last.data).toLowerCase()
      if (!this.has(target)) return { ...rest, answers, follow: target }
      const records: readonly DnsRecord[] = this.#find(target)?.records ?? []
      last = records.find((record) => record.type === 'CNAME')
      if (!last) answers.push(...records.filter((record) => record.type === type))
      else if (answers.length >= aliasesMax || answers.some(({ name }) => name === target)) break
      else answers.push(last)
    }
    return { ...rest, answers }
  }

  #find(name: string): Found | undefined {
    if (name === this.#o.domain) return { records: [this.#soa(), this.#record(name, 'NS', `ns.dns.${this.#o.domain}`)] }
    const labels = name.split('.').slice(0, -this.#labels)
    const kind = labels.at(-1)
    const namespace = labels.at(-2)
    if (labels.length === 1 && kind === 'dns-version')
      return { records: [this.#record(name, 'TXT', specificationVersion)] }
    if (kind === 'dns') return this.#findServer(name, labels)
    if (kind !== 'svc' && kind !== 'pod') return undefined
    // Names that only lead to others exist, but have no records.
    if (namespace === undefined) return { records: [] }
    if (!this.#view.hasNamespace(namespace)) return undefined
    if (labels.length === 2) return { records: [] }
    return kind === 'svc'
      ? this.#findService(name, namespace, labels.slice(0, -2))
      : this.#findPod(name, labels.slice(0, -2))
  }

  #findServer(name: string, labels: readonly string[]): Found | undefined {
    if (labels.length === 1) return { records: [] }
    if (labels.length !== 2 || labels[0] !== 'ns') return undefined
    const service = this.#view.service('kube-system', 'kube-dns')
    return { records: service ? clusterIps(service).map((address) => this.#address(name, address)) : [] }
  }

  #findPod(name: string, labels: readonly string[]): Found | undefined {
    const [dashed = ''] = labels
    if (labels.length !== 1) return undefined
    const v4 = dashed.replaceAll('-', '.')
    const v6 = dashed.replaceAll('-', ':')
    const address = isIPv4(v4) ? v4 : isIPv6(v6) ? v6 : undefined
    return address === undefined ? undefined : { records: [this.#address(name, address)] }
  }

  #findService(name: string, namespace: string, labels: readonly string[]): Found | undefined {
    const service = this.#view.service(namespace, labels.at(-1) ?? '')
    if (!service) return undefined
    if (service.spec?.type === 'ExternalName') {
      if (labels.length !== 1) return undefined
      const target = (service.spec.externalName ?? '').replace(/\.$/, '')
      return { records: isDnsName(target) ? [this.#record(name, 'CNAME', target)] : [] }
    }
    const base = this.#serviceName(namespace, service.metadata.name ?? '')
    if (isHeadless(service)) return this.#findHeadless(name, base, { service, labels })
    const addresses = clusterIps(service).map((address) => this.#address(base, address))
    const srv = (ports: readonly { port: number }[]) =>
      ports.map(({ port }) => this.#srv(name, port, { target: base, of: ports.length }))
    const ports = service.spec?.ports ?? []
    if (labels.length === 1) return { records: [...addresses, ...srv(ports)], additionals: addresses }
    const wanted = portOf(labels.slice(0, -1))
    if (wanted) {
      const matching = ports.filter((port) => wanted.matches(port))
      return matching.length > 0
        ? { records: srv(matching), additionals: addresses }
        : isPortParent(labels, ports)
          ? { records: [] }
          : undefined
    }
    return isPortParent(labels, ports) ? { records: [] } : this.#findEndpoint(name, base, { service, labels })
  }

  /** 'web-0.web…': one endpoint, whether its Service has an address of its own or not. */
  #findEndpoint(
    name: string,
    base: string,
    { service, labels }: { service: Frozen<Service>; labels: readonly string[] },
  ): Found | undefined {
    if (labels.length !== 2) return undefined
    const addresses = this.#view
      .slices(service.metadata.namespace ?? '', service.metadata.name ?? '')
      .flatMap((slice) => this.#published(slice, base))
      .flatMap((endpoint) => (endpoint.name === name ? [endpoint.address] : []))
    return addresses.length === 0
      ? undefined
      : { records: unique(addresses).map((address) => this.#address(name, address)) }
  }

  #findHeadless(
    name: string,
    base: string,
    { service, labels }: { service: Frozen<Service>; labels: readonly string[] },
  ): Found | undefined {
    const slices = this.#view.slices(service.metadata.namespace ?? '', service.metadata.name ?? '')
    const endpoints = slices.flatMap((slice) => this.#published(slice, base))
    const addresses = unique(endpoints.map(({ address }) => address))
    const ports = unique(slices.flatMap((slice) => slice.ports ?? []).map((port) => JSON.stringify(port))).map(
      (text) => JSON.parse(text) as SlicePort,
    )
    const srvs = (matches: (port: SlicePort) => boolean): DnsRecord[] => {
      const pairs = endpoints.flatMap((endpoint) =>
        (endpoint.slice.ports ?? []).flatMap((port) =>
          port.port && matches(port) ? [{ port: port.port, target: endpoint.name }] : [],
        ),
      )
      const distinct = unique(pairs.map((pair) => JSON.stringify(pair))).map(
        (text) => JSON.parse(text) as (typeof pairs)[number],
      )
      return distinct.map(({ port, target }) => this.#srv(name, port, { target, of: distinct.length }))
    }
    const additionals = unique(endpoints.map(({ name: label, address }) => `${label} ${address}`)).map((pair) =>
      this.#address(pair.split(' ')[0]!, pair.split(' ')[1]!),
    )
    if (labels.length === 1)
      return endpoints.length === 0
        ? undefined
        : { records: [...addresses.map((address) => this.#address(name, address)), ...srvs(() => true)], additionals }
    const wanted = portOf(labels.slice(0, -1))
    if (wanted) {
      const records = srvs((port) => wanted.matches(port))
      return records.length > 0 ? { records, additionals } : undefined
    }
    return isPortParent(labels, ports) ? { records: [] } : this.#findEndpoint(name, base, { service, labels })
  }

  /** The published endpoints of a slice, each with its name below the Service's. */
  #published(
    slice: Frozen<EndpointSlice>,
    base: string,
  ): { slice: Frozen<EndpointSlice>; name: string; address: string }[] {
    if (slice.addressType === 'FQDN') return []
    return (slice.endpoints ?? [])
      .filter(isPublished)
      .flatMap((endpoint) =>
        endpoint.addresses.map((address) => ({ slice, name: `${endpointLabel(endpoint, address)}.${base}`, address })),
      )
  }

  #endpointNames(slice: Frozen<EndpointSlice>, address: string): string[] {
    const service = slice.metadata.labels?.['kubernetes.io/service-name']
    if (!service) return []
    return this.#published(slice, this.#serviceName(slice.metadata.namespace ?? '', service)).flatMap((endpoint) =>
      endpoint.address === address ? [endpoint.name] : [],
    )
  }

  #serviceName(namespace: string, name: string): string {
    return `${name}.${namespace}.svc.${this.#o.domain}`
  }

  #record(name: string, type: RecordType, data: unknown): DnsRecord {
    return { name, type, ttl: this.#o.ttl, data }
  }

  #address(name: string, address: string): DnsRecord {
    return this.#record(name, isIPv4(address) ? 'A' : 'AAAA', address)
  }

  #srv(name: string, port: number, { target, of }: { target: string; of: number }): DnsRecord {
    return this.#record(name, 'SRV', { priority: 0, weight: Math.max(1, Math.floor(100 / of)), port, target })
  }

  #soa(): DnsRecord {
    const { domain, ttl, serial } = this.#o
    return this.#record(domain, 'SOA', {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: serial(),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    })
  }
}

interface SlicePort {
  readonly name?: string
  readonly port?: number
  readonly protocol?: string
}

/** The API takes longer labels than a DNS message can hold. */
const isDnsName = (name: string) => name.split('.').every(({ length }) => length > 0 && length <= 63)

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)]

const isHeadless = (service: Frozen<Service>) => service.spec?.clusterIP === 'None' || !service.spec?.clusterIP

const clusterIps = (service: Frozen<Service>): readonly string[] =>
  (service.spec?.clusterIPs?.length ? service.spec.clusterIPs : [service.spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  )

/** '_http', '_tcp' */
function portOf(labels: readonly string[]): { matches(port: SlicePort): boolean } | undefined {
  const [name, protocol] = labels
  if (labels.length !== 2 || !name?.startsWith('_') || !protocol?.startsWith('_')) return undefined
  return {
    matches: (port) =>
      (port.name ?? '').toLowerCase() === name.slice(1) && (port.protocol ?? 'TCP').toLowerCase() === protocol.slice(1),
  }
}

/** '_tcp.web…' has no records, but leads to '_http._tcp.web…'. */
const isPortParent = (labels: readonly string[], ports: readonly SlicePort[]) =>
  labels.length === 2 && ports.some(({ protocol }) => `_${(protocol ?? 'TCP').toLowerCase()}` === labels[0])
