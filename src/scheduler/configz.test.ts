import assert from 'node:assert/strict'
import test from 'node:test'
import { configzOf } from './configz.ts'

test('/configz has the fields of upstream’s, with defaults and what the file says', () => {
  const config = configzOf(
    {
      podMaxBackoffSeconds: 20,
      profiles: [
        { schedulerName: 'a', pluginConfig: [{ name: 'InterPodAffinity', args: { hardPodAffinityWeight: 5 } }] },
      ],
    },
    true,
  ) as Record<string, unknown>
  assert.deepEqual([config['PodInitialBackoffSeconds'], config['PodMaxBackoffSeconds']], [1, 20])
  assert.deepEqual(config['LeaderElection'], {
    ResourceLock: 'leases',
    ResourceName: 'kube-scheduler',
    ResourceNamespace: 'kube-system',
    LeaderElect: true,
  })
  const [profile] = config['Profiles'] as {
    SchedulerName: string
    PluginConfig: object[]
    Plugins: { MultiPoint: { Enabled: { Name: string; Weight: number }[] } }
  }[]
  assert.equal(profile?.SchedulerName, 'a')
  assert.deepEqual(profile?.PluginConfig, [{ Name: 'InterPodAffinity', Args: { HardPodAffinityWeight: 5 } }])
  assert.ok(profile?.Plugins.MultiPoint.Enabled.some(({ Name, Weight }) => Name === 'TaintToleration' && Weight === 3))
})
