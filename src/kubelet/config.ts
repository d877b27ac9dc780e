import { goDurationMs } from '../base/go-duration.ts'
import { wholeAmount } from './pod/amount.ts'

/** The fields of upstream's KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that Kubernode reads, under upstream's names. Durations are Go's ('10s', '2m0s'). */
export interface KubeletConfiguration {
  readonly apiVersion?: string
  readonly kind?: string
  readonly address?: string
  readonly port?: number
  readonly tlsCertFile?: string
  readonly tlsPrivateKeyFile?: string
  readonly authentication?: { readonly x509?: { readonly clientCAFile?: string } }
  readonly staticPodPath?: string
  readonly syncFrequency?: string
  readonly fileCheckFrequency?: string
  readonly clusterDomain?: string
  readonly clusterDNS?: readonly string[]
  readonly resolvConf?: string
  readonly nodeStatusUpdateFrequency?: string
  readonly nodeStatusReportFrequency?: string
  readonly nodeLeaseDurationSeconds?: number
  readonly imageMinimumGCAge?: string
  readonly imageMaximumGCAge?: string
  readonly imageGCHighThresholdPercent?: number
  readonly imageGCLowThresholdPercent?: number
  readonly volumeStatsAggPeriod?: string
  readonly kubeletCgroups?: string
  readonly cgroupsPerQOS?: boolean
  readonly cgroupRoot?: string
  readonly cgroupDriver?: string
  readonly maxPods?: number
  readonly podPidsLimit?: number
  readonly cpuCFSQuota?: boolean
  readonly cpuCFSQuotaPeriod?: string
  readonly serializeImagePulls?: boolean
  readonly maxParallelImagePulls?: number
  readonly registryPullQPS?: number
  readonly registryBurst?: number
  readonly eventRecordQPS?: number
  readonly eventBurst?: number
  readonly evictionHard?: Readonly<Record<string, string>>
  readonly evictionSoft?: Readonly<Record<string, string>>
  readonly evictionSoftGracePeriod?: Readonly<Record<string, string>>
  readonly evictionPressureTransitionPeriod?: string
  readonly evictionMaxPodGracePeriod?: number
  readonly evictionMinimumReclaim?: Readonly<Record<string, string>>
  readonly podsPerCore?: number
  readonly containerLogMaxSize?: string
  readonly containerLogMaxFiles?: number
  readonly containerLogMonitorInterval?: string
  readonly systemReserved?: Readonly<Record<string, string>>
  readonly kubeReserved?: Readonly<Record<string, string>>
  readonly reservedSystemCPUs?: string
  readonly enforceNodeAllocatable?: readonly string[]
  readonly allowedUnsafeSysctls?: readonly string[]
  readonly registerNode?: boolean
  readonly registerWithTaints?: readonly {
    readonly key: string
    readonly value?: string
    readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  }[]
  readonly seccompDefault?: boolean
  readonly runtimeRequestTimeout?: string
  readonly containerRuntimeEndpoint?: string
  readonly imageServiceEndpoint?: string
  readonly providerID?: string
  readonly podLogsDir?: string
  readonly featureGates?: Readonly<Record<string, boolean>>
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: string }
  readonly singleProcessOOMKill?: boolean
  readonly enableDebuggingHandlers?: boolean
  readonly shutdownGracePeriod?: string
  readonly shutdownGracePeriodCriticalPods?: string
  readonly configMapAndSecretChangeDetectionStrategy?: string
  readonly failSwapOn?: boolean
}

/** The configuration with every default filled in and every unit a number. */
export interface KubeletSettings {
  readonly staticPodPath: string | undefined
  readonly syncFrequencyMs: number
  readonly fileCheckFrequencyMs: number
  readonly clusterDomain: string
  readonly clusterDns: readonly string[]
  readonly resolvConf: string
  readonly nodeStatusUpdateMs: number
  readonly nodeStatusReportMs: number
  readonly leaseDurationSeconds: number
  readonly imageMinimumGcAgeMs: number
  /** 0: no image is too old. */
  readonly imageMaximumGcAgeMs: number
  readonly imageGcHighPercent: number
  readonly imageGcLowPercent: number
  readonly cgroupsPerQos: boolean
  readonly cgroupRoot: string
  readonly maxPods: number
  readonly podsPerCore: number
  /** -1: the node's own limit. */
  readonly podPidsLimit: number
  readonly cpuCfsQuota: boolean
  readonly cpuCfsPeriodUs: number
  /** Short of memory, a container loses a single process instead of all (cgroup v2; in version 1 it always does). */
  readonly singleProcessOomKill: boolean
  readonly serializeImagePulls: boolean
  readonly evictionHard: Readonly<Record<string, string>>
  readonly evictionSoft: Readonly<Record<string, string>>
  /** A shortage lasts until so much more than its threshold is free. */
  readonly evictionMinimumReclaim: Readonly<Record<string, string>>
  readonly evictionSoftGraceMs: Readonly<Record<string, number>>
  readonly evictionPressureTransitionMs: number
  readonly evictionMaxPodGraceSeconds: number
  readonly containerLogMaxBytes: number
  readonly containerLogMaxFiles: number
  readonly containerLogMonitorMs: number
  readonly systemReserved: Readonly<Record<string, string>>
  readonly kubeReserved: Readonly<Record<string, string>>
  readonly allowedUnsafeSysctls: readonly string[]
  readonly registerNode: boolean
  readonly registerWithTaints: NonNullable<KubeletConfiguration['registerWithTaints']>
  readonly seccompDefault: boolean
  readonly providerId: string
  readonly podLogsDir: string
  readonly restartBackOffMaxMs: number
}

/** Milliseconds; what is no duration is said with its field. */
function durationMs(text: string, field: string): number {
  const ms = goDurationMs(text)
  if (ms === undefined || ms < 0)
    throw new Error(`kubelet configuration: ${field}: "${text}" is not a duration such as 10s or 5m`)
  return ms
}

/** The defaults that upstream has. */
const hardEvictionDefaults = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
}

/** Fills in upstream's defaults; a value that cannot be read is said with its field. */
export function settingsOf(config: KubeletConfiguration): KubeletSettings {
  const ms = (field: keyof KubeletConfiguration & string, text: unknown, fallback: string) =>
    durationMs(typeof text === 'string' && text !== '' ? text : fallback, field)
  return {
    staticPodPath: config.staticPodPath || undefined,
    syncFrequencyMs: ms('syncFrequency', config.syncFrequency, '1m'),
    fileCheckFrequencyMs: ms('fileCheckFrequency', config.fileCheckFrequency, '20s'),
    clusterDomain: config.clusterDomain ?? '',
    clusterDns: config.clusterDNS ?? [],
    resolvConf: config.resolvConf ?? '/etc/resolv.conf',
    nodeStatusUpdateMs: ms('nodeStatusUpdateFrequency', config.nodeStatusUpdateFrequency, '10s'),
    nodeStatusReportMs: ms('nodeStatusReportFrequency', config.nodeStatusReportFrequency, '5m'),
    leaseDurationSeconds: config.nodeLeaseDurationSeconds || 40,
    imageMinimumGcAgeMs: ms('imageMinimumGCAge', config.imageMinimumGCAge, '2m'),
    imageMaximumGcAgeMs: ms('imageMaximumGCAge', config.imageMaximumGCAge, '0'),
    imageGcHighPercent: config.imageGCHighThresholdPercent ?? 85,
    imageGcLowPercent: config.imageGCLowThresholdPercent ?? 80,
    cgroupsPerQos: config.cgroupsPerQOS ?? true,
    cgroupRoot: config.cgroupRoot || '/',
    maxPods: config.maxPods || 110,
    podsPerCore: config.podsPerCore ?? 0,
    podPidsLimit: config.podPidsLimit ?? -1,
    cpuCfsQuota: config.cpuCFSQuota ?? true,
    cpuCfsPeriodUs: ms('cpuCFSQuotaPeriod', config.cpuCFSQuotaPeriod, '100ms') * 1000,
    singleProcessOomKill: config.singleProcessOOMKill ?? false,
    serializeImagePulls: config.serializeImagePulls ?? true,
    evictionHard: config.evictionHard ?? hardEvictionDefaults,
    evictionSoft: config.evictionSoft ?? {},
    evictionMinimumReclaim: config.evictionMinimumReclaim ?? {},
    evictionSoftGraceMs: Object.fromEntries(
      Object.entries(config.evictionSoftGracePeriod ?? {}).map(([signal, text]) => [
        signal,
        durationMs(text, `evictionSoftGracePeriod.${signal}`),
      ]),
    ),
    evictionPressureTransitionMs: ms('evictionPressureTransitionPeriod', config.evictionPressureTransitionPeriod, '5m'),
    evictionMaxPodGraceSeconds: config.evictionMaxPodGracePeriod ?? 0,
    containerLogMaxBytes: wholeAmount(config.containerLogMaxSize ?? '10Mi'),
    containerLogMaxFiles: config.containerLogMaxFiles ?? 5,
    containerLogMonitorMs: ms('containerLogMonitorInterval', config.containerLogMonitorInterval, '10s'),
    systemReserved: config.systemReserved ?? {},
    kubeReserved: config.kubeReserved ?? {},
    allowedUnsafeSysctls: config.allowedUnsafeSysctls ?? [],
    registerNode: config.registerNode ?? true,
    registerWithTaints: config.registerWithTaints ?? [],
    seccompDefault: config.seccompDefault ?? false,
    providerId: config.providerID ?? '',
    podLogsDir: config.podLogsDir || '/var/log/pods',
    restartBackOffMaxMs: ms('crashLoopBackOff', config.crashLoopBackOff?.maxContainerRestartPeriod, '5m'),
  }
}
