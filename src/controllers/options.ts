/** What the controllers can be told; upstream's flags, in milliseconds where those are times. */
export interface ControllerOptions {
  readonly clusterName: string
  /** Where the nodes' pod ranges come from; empty: the cloud or the network provider gives them. */
  readonly clusterCidr: readonly string[]
  readonly allocateNodeCidrs: boolean
  /** Prefix length of a node's pod range: 24 (IPv4) and 64 (IPv6). */
  readonly nodeCidrMaskSizeIPv4: number
  readonly nodeCidrMaskSizeIPv6: number
  /** Kept out of the nodes' ranges where they overlap. */
  readonly serviceClusterIpRange: readonly string[]
  /** PEM; published as `kube-root-ca.crt` in every namespace. */
  readonly rootCa?: string
  /** PEM; signs CertificateSigningRequests. */
  readonly clusterSigningCert?: string
  readonly clusterSigningKey?: string
  readonly clusterSigningDurationMs: number
  /** PEM; signs the tokens of Secrets of type kubernetes.io/service-account-token. */
  readonly serviceAccountPrivateKey?: string
  readonly serviceAccountIssuer: string
  readonly nodeMonitorPeriodMs: number
  readonly nodeMonitorGracePeriodMs: number
  readonly nodeStartupGracePeriodMs: number
  /** Evictions of a zone's nodes a second. */
  readonly nodeEvictionRate: number
  readonly secondaryNodeEvictionRate: number
  readonly unhealthyZoneThreshold: number
  readonly largeClusterSizeThreshold: number
  /** Terminated pods that are kept. */
  readonly terminatedPodGcThreshold: number
  readonly concurrentGcSyncs: number
  readonly hpaSyncPeriodMs: number
  readonly hpaTolerance: number
  readonly hpaDownscaleStabilizationMs: number
  readonly hpaInitialReadinessDelayMs: number
  readonly hpaCpuInitializationPeriodMs: number
  readonly endpointsPerSliceMax: number
  readonly legacyServiceAccountTokenCleanUpPeriodMs: number
  readonly resourceQuotaSyncPeriodMs: number
  readonly pvClaimBinderSyncPeriodMs: number
}

const hourMs = 3_600_000

/** Upstream's defaults. */
export const defaultControllerOptions: ControllerOptions = {
  clusterName: 'kubernetes',
  clusterCidr: ['10.244.0.0/16'],
  allocateNodeCidrs: true,
  nodeCidrMaskSizeIPv4: 24,
  nodeCidrMaskSizeIPv6: 64,
  serviceClusterIpRange: ['10.96.0.0/12'],
  clusterSigningDurationMs: 8760 * hourMs,
  serviceAccountIssuer: 'kubernetes/serviceaccount',
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  unhealthyZoneThreshold: 0.55,
  largeClusterSizeThreshold: 50,
  terminatedPodGcThreshold: 12_500,
  concurrentGcSyncs: 20,
  hpaSyncPeriodMs: 15_000,
  hpaTolerance: 0.1,
  hpaDownscaleStabilizationMs: 300_000,
  hpaInitialReadinessDelayMs: 30_000,
  hpaCpuInitializationPeriodMs: 300_000,
  endpointsPerSliceMax: 100,
  legacyServiceAccountTokenCleanUpPeriodMs: 8760 * hourMs,
  resourceQuotaSyncPeriodMs: 300_000,
  pvClaimBinderSyncPeriodMs: 15_000,
}
