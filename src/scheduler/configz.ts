import { profilesOf, type SchedulerConfiguration } from './configuration.ts'

/** The configuration with its defaults, in the shape that upstream's /configz has: Go's field names. */
export function configzOf(config: SchedulerConfiguration, leaderElect: boolean): object {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    ...goNames({
      percentageOfNodesToScore: config.percentageOfNodesToScore ?? 0,
      podInitialBackoffSeconds: config.podInitialBackoffSeconds || 1,
      podMaxBackoffSeconds: config.podMaxBackoffSeconds || 10,
      leaderElection: {
        resourceLock: 'leases',
        resourceName: 'kube-scheduler',
        resourceNamespace: 'kube-system',
        ...config.leaderElection,
        leaderElect,
      },
      profiles: profilesOf(config).map(({ schedulerName, percentageOfNodesToScore, plugins }) => ({
        schedulerName,
        percentageOfNodesToScore,
        plugins: { multiPoint: { enabled: plugins.map(({ plugin, weight }) => ({ name: plugin.name, weight })) } },
        pluginConfig:
          config.profiles?.find((profile) => (profile.schedulerName ?? 'default-scheduler') === schedulerName)
            ?.pluginConfig ?? [],
      })),
    }),
  }
}

/** The same with every field's name beginning with a capital. */
function goNames(value: object): object
function goNames(value: unknown): unknown
function goNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goNames)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.charAt(0).toUpperCase() + name.slice(1), goNames(inner)]),
  )
}
