import type { ConfigKind } from '../api/component-config/read.ts'
import type { Shape } from '../api/component-config/shape.ts'

const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
  'multiPoint',
]

const plugin = { name: 'string', weight: 'int32' } as const
const pluginSet = { enabled: [plugin], disabled: [plugin] } as const

/** KubeSchedulerConfiguration with all of upstream's fields: those that Kubernode has no use for are taken and passed over. */
export const schedulerConfigurationKind = {
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  shape: {
    parallelism: 'int32',
    leaderElection: {
      leaderElect: 'boolean',
      leaseDuration: 'string',
      renewDeadline: 'string',
      retryPeriod: 'string',
      resourceLock: 'string',
      resourceName: 'string',
      resourceNamespace: 'string',
    },
    clientConnection: {
      kubeconfig: 'string',
      acceptContentTypes: 'string',
      contentType: 'string',
      qps: 'double',
      burst: 'int32',
    },
    enableProfiling: 'boolean',
    enableContentionProfiling: 'boolean',
    percentageOfNodesToScore: 'int32',
    podInitialBackoffSeconds: 'int64',
    podMaxBackoffSeconds: 'int64',
    profiles: [
      {
        schedulerName: 'string',
        percentageOfNodesToScore: 'int32',
        plugins: Object.fromEntries(extensionPoints.map((point) => [point, pluginSet])),
        pluginConfig: [{ name: 'string', args: 'any' }],
      },
    ],
    extenders: [
      {
        urlPrefix: 'string',
        filterVerb: 'string',
        preemptVerb: 'string',
        prioritizeVerb: 'string',
        weight: 'int64',
        bindVerb: 'string',
        enableHTTPS: 'boolean',
        tlsConfig: {
          insecure: 'boolean',
          serverName: 'string',
          certFile: 'string',
          keyFile: 'string',
          caFile: 'string',
          certData: 'string',
          keyData: 'string',
          caData: 'string',
        },
        httpTimeout: 'string',
        nodeCacheCapable: 'boolean',
        managedResources: [{ name: 'string', ignoredByScheduler: 'boolean' }],
        ignorable: 'boolean',
      },
    ],
    delayCacheUntilActive: 'boolean',
  },
} as const satisfies ConfigKind

/** The arguments of the plugins that take some, by plugin. */
export const pluginArgumentShapes: Readonly<Record<string, { readonly [field: string]: Shape }>> = {
  DefaultPreemption: { minCandidateNodesPercentage: 'int32', minCandidateNodesAbsolute: 'int32' },
  DynamicResources: { filterTimeout: 'string', bindingTimeout: 'string' },
  InterPodAffinity: { hardPodAffinityWeight: 'int32', ignorePreferredTermsOfExistingPods: 'boolean' },
  NodeAffinity: { addedAffinity: 'io.k8s.api.core.v1.NodeAffinity' },
  NodeResourcesBalancedAllocation: { resources: [{ name: 'string', weight: 'int64' }] },
  NodeResourcesFit: {
    ignoredResources: ['string'],
    ignoredResourceGroups: ['string'],
    scoringStrategy: {
      type: 'string',
      resources: [{ name: 'string', weight: 'int64' }],
      requestedToCapacityRatio: { shape: [{ utilization: 'int32', score: 'int32' }] },
    },
  },
  PodTopologySpread: { defaultConstraints: ['io.k8s.api.core.v1.TopologySpreadConstraint'], defaultingType: 'string' },
  VolumeBinding: { bindTimeoutSeconds: 'int64', shape: [{ utilization: 'int32', score: 'int32' }] },
}
