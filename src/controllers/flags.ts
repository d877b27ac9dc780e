import { goDurationMs } from '../base/go-duration.ts'
import type { ControllerOptions } from './options.ts'

/** A flag of upstream's kube-controller-manager that sets a figure: its name, the option behind it, how its text is read, what it says. */
export interface TuningFlag {
  readonly name: string
  readonly option: keyof ControllerOptions
  /** Throws with what is wrong. */
  readonly parse: (text: string) => number | string
  readonly help: string
}

/** Milliseconds; throws when the text is no duration, or one that goes backwards. */
function parseDuration(text: string): number {
  const ms = goDurationMs(text)
  if (ms === undefined || ms < 0) throw new Error(`${JSON.stringify(text)} is no duration such as 30s or 1h30m`)
  return ms
}

function parseNumber(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`${JSON.stringify(text)} is no number`)
  return Number(text)
}

/** The flags beside those that name files, addresses and controllers. */
export const tuningFlags: readonly TuningFlag[] = [
  { name: 'cluster-name', option: 'clusterName', parse: String, help: 'name of the cluster' },
  {
    name: 'cluster-signing-duration',
    option: 'clusterSigningDurationMs',
    parse: parseDuration,
    help: 'how long signed certificates are valid at most',
  },
  {
    name: 'node-cidr-mask-size-ipv4',
    option: 'nodeCidrMaskSizeIPv4',
    parse: parseNumber,
    help: 'prefix length of a node’s IPv4 range',
  },
  {
    name: 'node-cidr-mask-size-ipv6',
    option: 'nodeCidrMaskSizeIPv6',
    parse: parseNumber,
    help: 'prefix length of a node’s IPv6 range',
  },
  {
    name: 'node-monitor-period',
    option: 'nodeMonitorPeriodMs',
    parse: parseDuration,
    help: 'how often nodes are looked at',
  },
  {
    name: 'node-monitor-grace-period',
    option: 'nodeMonitorGracePeriodMs',
    parse: parseDuration,
    help: 'how long a node may be silent',
  },
  {
    name: 'node-startup-grace-period',
    option: 'nodeStartupGracePeriodMs',
    parse: parseDuration,
    help: 'how long a new node may be silent',
  },
  {
    name: 'node-eviction-rate',
    option: 'nodeEvictionRate',
    parse: parseNumber,
    help: 'nodes of a zone given up a second',
  },
  {
    name: 'secondary-node-eviction-rate',
    option: 'secondaryNodeEvictionRate',
    parse: parseNumber,
    help: 'the same while much of the zone is down',
  },
  {
    name: 'unhealthy-zone-threshold',
    option: 'unhealthyZoneThreshold',
    parse: parseNumber,
    help: 'share of nodes down that makes a zone disrupted',
  },
  {
    name: 'large-cluster-size-threshold',
    option: 'largeClusterSizeThreshold',
    parse: parseNumber,
    help: 'zones up to this size give up no node while disrupted',
  },
  {
    name: 'terminated-pod-gc-threshold',
    option: 'terminatedPodGcThreshold',
    parse: parseNumber,
    help: 'ended pods that are kept',
  },
  {
    name: 'concurrent-gc-syncs',
    option: 'concurrentGcSyncs',
    parse: parseNumber,
    help: 'objects collected at the same time',
  },
  {
    name: 'horizontal-pod-autoscaler-sync-period',
    option: 'hpaSyncPeriodMs',
    parse: parseDuration,
    help: 'how often autoscalers look',
  },
  {
    name: 'horizontal-pod-autoscaler-tolerance',
    option: 'hpaTolerance',
    parse: parseNumber,
    help: 'share of the target that is near enough',
  },
  {
    name: 'horizontal-pod-autoscaler-downscale-stabilization',
    option: 'hpaDownscaleStabilizationMs',
    parse: parseDuration,
    help: 'how long an autoscaler waits before it shrinks',
  },
  {
    name: 'horizontal-pod-autoscaler-initial-readiness-delay',
    option: 'hpaInitialReadinessDelayMs',
    parse: parseDuration,
    help: 'how long a pod’s first readiness counts as its start',
  },
  {
    name: 'horizontal-pod-autoscaler-cpu-initialization-period',
    option: 'hpaCpuInitializationPeriodMs',
    parse: parseDuration,
    help: 'how long a pod’s CPU use counts as its start',
  },
  {
    name: 'max-endpoints-per-slice',
    option: 'endpointsPerSliceMax',
    parse: parseNumber,
    help: 'endpoints in one EndpointSlice',
  },
  {
    name: 'legacy-service-account-token-clean-up-period',
    option: 'legacyServiceAccountTokenCleanUpPeriodMs',
    parse: parseDuration,
    help: 'how long unused generated tokens are kept',
  },
  {
    name: 'resource-quota-sync-period',
    option: 'resourceQuotaSyncPeriodMs',
    parse: parseDuration,
    help: 'how often quotas are recounted',
  },
  {
    name: 'pvclaimbinder-sync-period',
    option: 'pvClaimBinderSyncPeriodMs',
    parse: parseDuration,
    help: 'how often waiting claims are looked at',
  },
]
