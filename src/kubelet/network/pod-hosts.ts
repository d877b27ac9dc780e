import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** A host name and the domain it is in; the domain is empty without a subdomain. */
export interface PodHostname {
  readonly hostname: string
  readonly domain: string
}

/** A name in DNS, and the kernel's limit of a host name. */
const labelMax = 63
const kernelMax = 64

/** The pod's host name: its own, or its name cut to what DNS takes. */
export function podHostname(pod: Frozen<Pod>, clusterDomain: string): PodHostname {
  const { hostname, subdomain } = pod.spec ?? {}
  const name = hostname ?? (pod.metadata.name ?? '').slice(0, labelMax).replace(/[-.]+$/, '')
  return { hostname: name, domain: subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '' }
}

/** What the kernel's host name is set to. Throws when it is longer than the kernel takes. */
export function kernelHostname(pod: Frozen<Pod>, { hostname, domain }: PodHostname): string {
  if (pod.spec?.hostnameOverride) return pod.spec.hostnameOverride
  if (!pod.spec?.setHostnameAsFQDN || !domain) return hostname
  const full = `${hostname}.${domain}`
  if (full.length > kernelMax)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${kernelMax} characters is the max, ${full.length} characters requested)`,
    )
  return full
}

const managed = '# Kubernetes-managed hosts file'
const loopback = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

/** The text of the pod's /etc/hosts; `hostText` is the node's own, for pods on its network. */
export function hostsText(pod: Frozen<Pod>, name: PodHostname, ips: readonly string[], hostText: string): string {
  const aliases = (pod.spec?.hostAliases ?? [])
    .map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`)
    .join('')
  const ending = aliases && `\n# Entries added by HostAliases.\n${aliases}`
  if (pod.spec?.hostNetwork) return `${managed} (host network).\n${hostText}${ending}`
  const own = ips.map((ip) =>
    name.domain ? `${ip}\t${name.hostname}.${name.domain}\t${name.hostname}` : `${ip}\t${name.hostname}`,
  )
  return `${[`${managed}.`, ...loopback, ...own].join('\n')}\n${ending}`
}
