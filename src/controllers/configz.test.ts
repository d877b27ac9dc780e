import assert from 'node:assert/strict'
import test from 'node:test'
import { configzOf } from './configz.ts'

test('/configz tells what is set and what is default, and no key', () => {
  const told = configzOf({
    options: {
      clusterName: 'c',
      nodeMonitorGracePeriodMs: 90_500,
      clusterSigningKey: 'secret',
      serviceAccountPrivateKey: 'secret',
    },
    leaderElect: true,
  })
  const groups = told as Record<string, Record<string, unknown>>
  assert.equal(groups['KubeCloudShared']?.['ClusterName'], 'c')
  assert.equal(groups['NodeLifecycleController']?.['NodeMonitorGracePeriod'], '1m30.5s')
  assert.equal(groups['CSRSigningController']?.['ClusterSigningDuration'], '8760h0m0s')
  assert.equal(groups['HPAController']?.['HorizontalPodAutoscalerTolerance'], 0.1)
  assert.doesNotMatch(JSON.stringify(told), /secret/)
})
