/** What a cluster with resource metrics has besides the metrics: the group's APIService, and the right to read it for whoever may view things. */
export const metricsObjects: readonly { readonly group: string; readonly plural: string; readonly object: object }[] = [
  {
    group: 'apiregistration.k8s.io',
    plural: 'apiservices',
    object: {
      metadata: { name: 'v1beta1.metrics.k8s.io', labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'Local',
            message: 'Local APIServices are always available',
            lastTransitionTime: null,
          },
        ],
      },
    },
  },
  {
    group: 'rbac.authorization.k8s.io',
    plural: 'clusterroles',
    object: {
      metadata: {
        name: 'system:aggregated-metrics-reader',
        labels: {
          'rbac.authorization.k8s.io/aggregate-to-view': 'true',
          'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
          'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
        },
      },
      rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
    },
  },
]
