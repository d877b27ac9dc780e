import type { Counter, Gauge, Histogram, Metrics } from '../base/metrics.ts'

/** The proxy's metrics, by upstream's names. */
export interface ProxyMetrics {
  readonly sync: Histogram
  readonly fullSync: Histogram
  readonly partialSync: Histogram
  readonly lastSync: Gauge
  readonly lastQueued: Gauge
  readonly programming: Histogram
  readonly endpointChanges: Counter
  readonly endpointChangesPending: Gauge
  readonly serviceChanges: Counter
  readonly serviceChangesPending: Gauge
  readonly syncFailures: Counter
  readonly cleanupFailures: Counter
  readonly noLocalEndpoints: Gauge
  readonly healthz: Counter
  readonly livez: Counter
  readonly conntrackSync: Histogram
  readonly conntrackDeleted: Counter
}

/** 1 ms to 16 s, doubling. */
const syncBuckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)
/** Upstream's: fine below two minutes, where the objective lies, then coarse. */
const programmingBuckets = [0.25, 0.5, ...range(1, 60, 1), ...range(65, 120, 5), ...range(150, 300, 30)]

/** Declares them. */
export const proxyMetrics = (metrics: Metrics): ProxyMetrics => ({
  sync: metrics.histogram(
    'kubeproxy_sync_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds',
    syncBuckets,
  ),
  fullSync: metrics.histogram(
    'kubeproxy_sync_full_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds for full resyncs',
    syncBuckets,
  ),
  partialSync: metrics.histogram(
    'kubeproxy_sync_partial_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds for partial resyncs',
    syncBuckets,
  ),
  lastSync: metrics.gauge(
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
    'The last time proxy rules were successfully synced',
  ),
  lastQueued: metrics.gauge(
    'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
    'The last time a sync of proxy rules was queued',
  ),
  programming: metrics.histogram(
    'kubeproxy_network_programming_duration_seconds',
    'In Cluster Network Programming Latency in seconds',
    programmingBuckets,
  ),
  endpointChanges: metrics.counter(
    'kubeproxy_sync_proxy_rules_endpoint_changes_total',
    'Cumulative proxy rules Endpoint changes',
  ),
  endpointChangesPending: metrics.gauge(
    'kubeproxy_sync_proxy_rules_endpoint_changes_pending',
    'Pending proxy rules Endpoint changes',
  ),
  serviceChanges: metrics.counter(
    'kubeproxy_sync_proxy_rules_service_changes_total',
    'Cumulative proxy rules Service changes',
  ),
  serviceChangesPending: metrics.gauge(
    'kubeproxy_sync_proxy_rules_service_changes_pending',
    'Pending proxy rules Service changes',
  ),
  syncFailures: metrics.counter(
    'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
    'Cumulative proxy nftables sync failures',
  ),
  cleanupFailures: metrics.counter(
    'kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total',
    'Cumulative proxy nftables cleanup failures',
  ),
  noLocalEndpoints: metrics.gauge(
    'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
    'Number of services with a Local traffic policy and no endpoints',
  ),
  healthz: metrics.counter('kubeproxy_proxy_healthz_total', 'Cumulative proxy healthz HTTP status'),
  livez: metrics.counter('kubeproxy_proxy_livez_total', 'Cumulative proxy livez HTTP status'),
  conntrackSync: metrics.histogram(
    'kubeproxy_conntrack_reconciler_sync_duration_seconds',
    'ReconcileConntrackFlowsLatency latency in seconds',
    syncBuckets,
  ),
  conntrackDeleted: metrics.counter(
    'kubeproxy_conntrack_reconciler_deleted_entries_total',
    'Cumulative conntrack flows deleted by conntrack reconciler',
  ),
})

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step)
}
