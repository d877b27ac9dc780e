import assert from 'node:assert/strict'
import test from 'node:test'
import {
  clusterRoles,
  cronJobs,
  customResourceDefinitions,
  daemonSets,
  deployments,
  events,
  horizontalPodAutoscalers,
  jobs,
  leases,
  namespaces,
  networkPolicies,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  resourceQuotas,
  services,
  statefulSets,
} from '../api/generated/resources.ts'
import type { PodTemplateSpec } from '../api/generated/types/core-v1.ts'
import type { Logger } from '../base/log.ts'
import { silentLogger } from '../base/log.ts'
import { Cluster } from './cluster.ts'

const template = (app: string, more: object = {}): PodTemplateSpec => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '10m' } } }], ...more },
})
const of = (app: string) => ({ metadata: { name: app, namespace: 'shop' }, selector: { matchLabels: { app } } })

/** A log that keeps what the API server denied. */
function denials(): { readonly log: Logger; readonly denied: string[] } {
  const denied: string[] = []
  const log: Logger = {
    ...silentLogger,
    debug: (fields, message) => void (message === 'denied' && denied.push(JSON.stringify(fields))),
    child: () => log,
  }
  return { log, denied }
}

test('every component has the rights that its work takes, and none tries more', async (t) => {
  const { log, denied } = denials()
  const cluster = await Cluster.start({ nodes: 2, log })
  t.after(() => cluster.stop())
  const { client } = cluster
  await client.create(namespaces, { metadata: { name: 'shop' } })
  await client.create(resourceQuotas, { metadata: { name: 'q', namespace: 'shop' }, spec: { hard: { pods: '50' } } })
  await client.create(deployments, {
    metadata: of('web').metadata,
    spec: { replicas: 2, selector: of('web').selector, template: template('web') },
  })
  await client.create(services, {
    metadata: of('web').metadata,
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  })
  await client.create(daemonSets, {
    metadata: of('agent').metadata,
    spec: { selector: of('agent').selector, template: template('agent') },
  })
  const claim = {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce' as const],
      storageClassName: '',
      resources: { requests: { storage: '1Gi' } },
    },
  }
  await client.create(persistentVolumes, {
    metadata: { name: 'v' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: '',
      hostPath: { path: '/tmp' },
    },
  })
  await client.create(statefulSets, {
    metadata: of('db').metadata,
    spec: { serviceName: 'db', selector: of('db').selector, template: template('db'), volumeClaimTemplates: [claim] },
  })
  await client.create(jobs, {
    metadata: { name: 'once', namespace: 'shop' },
    spec: { ttlSecondsAfterFinished: 10, template: template('once', { restartPolicy: 'Never' }) },
  })
  await client.create(cronJobs, {
    metadata: { name: 'often', namespace: 'shop' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template('often', { restartPolicy: 'Never' }) } } },
  })
  await client.create(podDisruptionBudgets, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { minAvailable: 1, selector: of('web').selector },
  })
  await client.create(horizontalPodAutoscalers, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { maxReplicas: 4, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
  })
  await client.create(networkPolicies, { metadata: { name: 'web', namespace: 'shop' }, spec: { podSelector: {} } })
  await client.create(clusterRoles, {
    metadata: { name: 'sum' },
    aggregationRule: {
      clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }],
    },
  })
  await client.create(customResourceDefinitions, {
    metadata: { name: 'toys.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'toys', kind: 'Toy' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  })
  await cluster.until(statefulSets, { namespace: 'shop', name: 'db' }, ({ status }) => status?.readyReplicas === 1)
  await cluster.advance({ minutes: 3 })
  await client.patch(
    deployments,
    { namespace: 'shop', name: 'web' },
    { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:2' }] } } } },
    { type: 'strategic' },
  )
  await cluster.advance({ minutes: 1 })
  await cluster.node('node-1').stop()
  await cluster.advance({ minutes: 8 })
  const working = (await client.list(pods, { namespace: 'shop', labelSelector: 'app=web' })).items.filter(
    ({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === 'Running',
  )
  assert.deepEqual(
    working.map(({ spec }) => spec?.nodeName),
    ['node-2', 'node-2'],
  )
  assert.equal(
    (await client.get(persistentVolumeClaims, { namespace: 'shop', name: 'data-db-0' })).status?.phase,
    'Bound',
  )
  assert.ok(
    (await client.list(events, { namespace: 'shop' })).items.some(
      ({ source, reason }) => source?.component === 'job-controller' && reason === 'SuccessfulCreate',
    ),
  )
  await client.delete(nodes, { name: 'node-1' })
  await client.delete(namespaces, { name: 'shop' })
  await cluster.advance({ minutes: 5 })
  assert.equal(
    (await client.list(namespaces)).items.some(({ metadata }) => metadata.name === 'shop'),
    false,
  )
  assert.equal((await client.list(leases, { namespace: 'kube-node-lease' })).items.length, 1)
  assert.deepEqual(denied, [])
})
