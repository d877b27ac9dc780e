import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { LinuxPodSandboxConfig, PodSandboxConfig } from '../../runtime/cri/generated/cri.ts'
import type { Resolver } from '../network/pod-dns.ts'
import { kernelHostname, podHostname } from '../network/pod-hosts.ts'
import { allContainers, isHostNetwork } from '../pod/containers.ts'
import { amountsOf, cpuQuotaUs, cpuShares, podAmounts } from '../pod/resources.ts'
import { sandboxLabels } from '../runtime-state/labels.ts'
import { namespaces, podGroups } from './security-context.ts'

/** What a sandbox is made from besides the pod. */
export interface SandboxSources {
  readonly attempt: number
  readonly dns: Resolver
  readonly clusterDomain: string
  readonly logDirectory: string
  readonly cgroupParent: string
  readonly cpuCfsPeriodUs: number
}

/** The pod's sandbox in CRI's words. Throws when its host name is too long. */
export function sandboxConfig(pod: Frozen<Pod>, sources: SandboxSources): Init<PodSandboxConfig> {
  const { name = '', namespace = '', uid = '' } = pod.metadata
  const hostname = isHostNetwork(pod) ? '' : kernelHostname(pod, podHostname(pod, sources.clusterDomain))
  return {
    metadata: { name, namespace, uid, attempt: sources.attempt },
    hostname,
    logDirectory: sources.logDirectory,
    dnsConfig: { servers: sources.dns.servers, searches: sources.dns.searches, options: sources.dns.options },
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata.annotations },
    linux: linux(pod, sources),
  }
}

function portMappings(pod: Frozen<Pod>): Init<PodSandboxConfig>['portMappings'] {
  const seen = new Set<string>()
  const mappings = []
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const { protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' } of container.ports ?? []) {
      const key = `${protocol}/${containerPort}/${hostPort}/${hostIP}`
      if (seen.has(key)) continue
      seen.add(key)
      mappings.push({ protocol: protocol as 'TCP' | 'UDP' | 'SCTP', containerPort, hostPort, hostIp: hostIP })
    }
  }
  return mappings
}

function linux(pod: Frozen<Pod>, sources: SandboxSources): Init<LinuxPodSandboxConfig> {
  const context = pod.spec?.securityContext
  return {
    cgroupParent: sources.cgroupParent,
    sysctls: Object.fromEntries((context?.sysctls ?? []).map(({ name, value }) => [name.replaceAll('/', '.'), value])),
    securityContext: {
      privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged),
      namespaceOptions: namespaces(pod),
      seccomp: { profileType: 'RuntimeDefault' },
      ...(context?.runAsUser !== undefined && { runAsUser: { value: context.runAsUser } }),
      ...(context?.runAsGroup !== undefined && { runAsGroup: { value: context.runAsGroup } }),
      ...(context?.seLinuxOptions && { selinuxOptions: context.seLinuxOptions }),
      ...podGroups(pod, []),
    },
    overhead: amounts(amountsOf(pod.spec?.overhead), sources),
    resources: podResources(pod, sources),
  }
}

/** The pod's limits: known only when every container has one. */
function podResources(pod: Frozen<Pod>, sources: SandboxSources) {
  const requests = podAmounts({ ...pod, spec: { ...pod.spec!, overhead: {} } }, 'requests')
  const limits = podAmounts({ ...pod, spec: { ...pod.spec!, overhead: {} } }, 'limits')
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const limited = (name: string) =>
    pod.spec?.resources?.limits?.[name] !== undefined ||
    all.every(({ resources }) => resources?.limits?.[name] !== undefined)
  return {
    cpuShares: cpuShares(requests['cpu'] ?? 0),
    ...(limited('cpu') && {
      cpuQuota: cpuQuotaUs(limits['cpu'] ?? 0, sources.cpuCfsPeriodUs),
      cpuPeriod: sources.cpuCfsPeriodUs,
    }),
    ...(limited('memory') && { memoryLimitInBytes: limits['memory'] ?? 0 }),
  }
}

const amounts = (values: Readonly<Record<string, number>>, sources: SandboxSources) =>
  Object.keys(values).length === 0
    ? {}
    : {
        cpuShares: cpuShares(values['cpu'] ?? 0),
        cpuQuota: cpuQuotaUs(values['cpu'] ?? 0, sources.cpuCfsPeriodUs),
        cpuPeriod: sources.cpuCfsPeriodUs,
        memoryLimitInBytes: values['memory'] ?? 0,
      }
