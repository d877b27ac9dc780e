import { defaultControllerOptions, type ControllerOptions } from './options.ts'

/** What is told beside the controllers' options. */
export interface ConfigzFacts {
  readonly options: Partial<ControllerOptions>
  readonly controllers?: readonly string[] | undefined
  readonly leaderElect?: boolean | undefined
  readonly useServiceAccountCredentials?: boolean | undefined
}

/** Where upstream's /configz tells an option: group, field, option. Keys and certificates are told nowhere. */
const places: readonly (readonly [group: string, field: string, option: keyof ControllerOptions])[] = [
  ['KubeCloudShared', 'NodeMonitorPeriod', 'nodeMonitorPeriodMs'],
  ['KubeCloudShared', 'ClusterName', 'clusterName'],
  ['KubeCloudShared', 'ClusterCIDR', 'clusterCidr'],
  ['KubeCloudShared', 'AllocateNodeCIDRs', 'allocateNodeCidrs'],
  ['CSRSigningController', 'ClusterSigningDuration', 'clusterSigningDurationMs'],
  ['EndpointSliceController', 'MaxEndpointsPerSlice', 'endpointsPerSliceMax'],
  ['GarbageCollectorController', 'ConcurrentGCSyncs', 'concurrentGcSyncs'],
  ['HPAController', 'HorizontalPodAutoscalerSyncPeriod', 'hpaSyncPeriodMs'],
  ['HPAController', 'HorizontalPodAutoscalerDownscaleStabilizationWindow', 'hpaDownscaleStabilizationMs'],
  ['HPAController', 'HorizontalPodAutoscalerTolerance', 'hpaTolerance'],
  ['HPAController', 'HorizontalPodAutoscalerCPUInitializationPeriod', 'hpaCpuInitializationPeriodMs'],
  ['HPAController', 'HorizontalPodAutoscalerInitialReadinessDelay', 'hpaInitialReadinessDelayMs'],
  ['LegacySATokenCleaner', 'CleanUpPeriod', 'legacyServiceAccountTokenCleanUpPeriodMs'],
  ['NodeIPAMController', 'ServiceCIDR', 'serviceClusterIpRange'],
  ['NodeIPAMController', 'NodeCIDRMaskSizeIPv4', 'nodeCidrMaskSizeIPv4'],
  ['NodeIPAMController', 'NodeCIDRMaskSizeIPv6', 'nodeCidrMaskSizeIPv6'],
  ['NodeLifecycleController', 'NodeEvictionRate', 'nodeEvictionRate'],
  ['NodeLifecycleController', 'SecondaryNodeEvictionRate', 'secondaryNodeEvictionRate'],
  ['NodeLifecycleController', 'NodeStartupGracePeriod', 'nodeStartupGracePeriodMs'],
  ['NodeLifecycleController', 'NodeMonitorGracePeriod', 'nodeMonitorGracePeriodMs'],
  ['NodeLifecycleController', 'LargeClusterSizeThreshold', 'largeClusterSizeThreshold'],
  ['NodeLifecycleController', 'UnhealthyZoneThreshold', 'unhealthyZoneThreshold'],
  ['PersistentVolumeBinderController', 'PVClaimBinderSyncPeriod', 'pvClaimBinderSyncPeriodMs'],
  ['PodGCController', 'TerminatedPodGCThreshold', 'terminatedPodGcThreshold'],
  ['ResourceQuotaController', 'ResourceQuotaSyncPeriod', 'resourceQuotaSyncPeriodMs'],
]

/** The controllers' configuration in the shape that upstream's /configz has. */
export function configzOf({
  options,
  controllers = ['*'],
  leaderElect = false,
  useServiceAccountCredentials = false,
}: ConfigzFacts): object {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const all: ControllerOptions = { ...defaultControllerOptions, ...given }
  const groups: Record<string, Record<string, unknown>> = {
    Generic: {
      LeaderElection: {
        LeaderElect: leaderElect,
        ResourceLock: 'leases',
        ResourceName: 'kube-controller-manager',
        ResourceNamespace: 'kube-system',
      },
      Controllers: controllers,
    },
    KubeCloudShared: { UseServiceAccountCredentials: useServiceAccountCredentials },
  }
  for (const [group, field, option] of places) {
    const value = all[option]
    groups[group] = {
      ...groups[group],
      [field]: option.endsWith('Ms') ? goDuration(Number(value)) : Array.isArray(value) ? value.join(',') : value,
    }
  }
  return groups
}

/** A duration as Go writes it: '1h0m0s', '1m30s', '500ms'. */
function goDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${ms}ms`
  const seconds = ms / 1000
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${Number((seconds % 60).toFixed(3))}s`
}
