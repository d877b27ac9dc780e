import { isIPv4, isIPv6 } from 'node:net'
import type { Service } from '../api/generated/types/core-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { canonicalAddress } from './address.ts'
import type { Family } from './config.ts'

/** 'tcp', as nft writes it. */
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** One port of a Service in one IP family, as the rules see it. */
export interface ServicePort {
  /** 'default/web' */
  readonly service: string
  /** '' for the only port of a Service. */
  readonly portName: string
  readonly protocol: Protocol
  readonly clusterIp: string
  readonly port: number
  /** 0: none. */
  readonly nodePort: number
  readonly externalIps: readonly string[]
  /** Ingress addresses that this node answers for (ipMode VIP). */
  readonly loadBalancerIps: readonly string[]
  readonly sourceRanges: readonly string[]
  readonly internalLocal: boolean
  readonly externalLocal: boolean
  /** How long a client stays with its endpoint; undefined without session affinity. */
  readonly affinitySeconds: number | undefined
}

/** Services that another proxy looks after, and those that none shall, carry one of these labels. */
const leftAloneLabels = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'] as const

/** Whether this proxy has anything to do for a Service. */
function isProxied(service: Frozen<Service>): boolean {
  const { clusterIP, type } = service.spec ?? {}
  return (
    type !== 'ExternalName' &&
    !!clusterIP &&
    clusterIP !== 'None' &&
    leftAloneLabels.every((label) => service.metadata.labels?.[label] === undefined)
  )
}

/** A Service's ports in one family; none when it has no address of that family. */
export function servicePorts(service: Frozen<Service>, family: Family): ServicePort[] {
  const spec = service.spec
  if (!spec || !isProxied(service)) return []
  const ofFamily = family === 'ip' ? isIPv4 : isIPv6
  const clusterIp = (spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? '']).find(ofFamily)
  if (clusterIp === undefined) return []
  const shared = {
    service: `${service.metadata.namespace}/${service.metadata.name}`,
    clusterIp: canonicalAddress(clusterIp),
    externalIps: (spec.externalIPs ?? []).filter(ofFamily).map(canonicalAddress),
    loadBalancerIps: loadBalancerIps(service).filter(ofFamily).map(canonicalAddress),
    sourceRanges: sourceRanges(service).filter((range) => ofFamily(range.split('/')[0] ?? '')),
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
        : undefined,
  }
  return (spec.ports ?? []).map((port) => ({
    ...shared,
    portName: port.name ?? '',
    protocol: protocolOf(port.protocol),
    port: port.port,
    nodePort: port.nodePort ?? 0,
  }))
}

/** Three hours, as the API's default. */
const defaultAffinitySeconds = 10_800

/** The API's protocol in nft's words. */
export const protocolOf = (protocol: string | undefined): Protocol =>
  protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp'

function loadBalancerIps(service: Frozen<Service>): string[] {
  if (service.spec?.type !== 'LoadBalancer') return []
  // ipMode Proxy: the load balancer itself delivers, and must not be cut short.
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== 'Proxy' ? [ip] : [],
  )
}

/** The older way to say source ranges. */
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'

function sourceRanges(service: Frozen<Service>): string[] {
  const ranges = service.spec?.loadBalancerSourceRanges
  const listed = ranges?.length
    ? [...ranges]
    : (service.metadata.annotations?.[sourceRangesAnnotation] ?? '').split(',')
  return listed.map((range) => range.trim()).filter((range) => range !== '')
}

/** It can be reached by other than its ClusterIP. */
export const isExternal = (port: ServicePort): boolean =>
  port.nodePort !== 0 || port.externalIps.length > 0 || port.loadBalancerIps.length > 0

/** Some of its traffic may go to any node. */
export const usesClusterEndpoints = (port: ServicePort): boolean => !port.internalLocal || isExternal(port)

/** Some of its traffic must stay on this node. */
export const usesLocalEndpoints = (port: ServicePort): boolean =>
  port.internalLocal || (port.externalLocal && isExternal(port))
