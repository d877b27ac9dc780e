import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** What a resolv.conf says. */
export interface Resolver {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** What a pod's resolver is made of. */
export interface DnsSources {
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** The node's own resolver. */
  readonly host: Resolver
}

/** What the C library takes. */
const serversMax = 3
const searchesMax = 32
const searchCharsMax = 2048

/** Reads a resolv.conf. */
export function parseResolvConf(text: string): Resolver {
  const servers: string[] = []
  let searches: string[] = []
  let options: string[] = []
  for (const line of text.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (key === 'nameserver' && values[0]) servers.push(values[0])
    else if (key === 'search') searches = values.map((name) => (name === '.' ? name : name.replace(/\.$/, '')))
    else if (key === 'options') options = [...options, ...values]
  }
  return { servers, searches, options: [...new Set(options)] }
}

/** The pod's resolver by its DNS policy, then what its dnsConfig adds. `fallsBack`: cluster DNS was wanted, and the node has none. */
export function podDns(
  pod: Frozen<Pod>,
  sources: DnsSources,
): { readonly resolver: Resolver; readonly fallsBack: boolean } {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  const wantsCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork)
  const fallsBack = wantsCluster && sources.clusterDns.length === 0
  const base =
    policy === 'None'
      ? { servers: [], searches: [], options: [] }
      : wantsCluster && !fallsBack
        ? clusterResolver(pod, sources)
        : sources.host
  return { resolver: limited(withConfig(base, pod)), fallsBack }
}

function clusterResolver(pod: Frozen<Pod>, { clusterDns, clusterDomain, host }: DnsSources): Resolver {
  const domains = clusterDomain
    ? [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    : []
  return { servers: clusterDns, searches: [...new Set([...domains, ...host.searches])], options: ['ndots:5'] }
}

function withConfig(base: Resolver, pod: Frozen<Pod>): Resolver {
  const config = pod.spec?.dnsConfig
  if (!config) return base
  const options = new Map(base.options.map((option) => [option.split(':')[0]!, option]))
  for (const { name, value } of config.options ?? []) if (name) options.set(name, value ? `${name}:${value}` : name)
  return {
    servers: [...new Set([...base.servers, ...(config.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(config.searches ?? [])])],
    options: [...options.values()],
  }
}

function limited({ servers, searches, options }: Resolver): Resolver {
  const kept: string[] = []
  let chars = 0
  for (const search of searches.slice(0, searchesMax)) {
    chars += search.length + 1
    if (chars - 1 > searchCharsMax) break
    kept.push(search)
  }
  return { servers: servers.slice(0, serversMax), searches: kept, options }
}
