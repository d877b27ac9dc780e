// What happens to an application when a node dies: five minutes in a fraction of a second.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Cluster, deployments, pods } from 'kubernode'

test('the application moves to the node that is left', async () => {
  await using cluster = await Cluster.start({ nodes: 2, seed: 42 })
  const labels = { app: 'web' }
  await cluster.client.create(deployments, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
    },
  })
  await cluster.until(deployments, { namespace: 'default', name: 'web' }, (web) => web.status?.readyReplicas === 2)

  await cluster.node('node-1').stop()
  await cluster.advance({ minutes: 7 })

  const running = (await cluster.client.list(pods)).items.filter((pod) => !pod.metadata.deletionTimestamp)
  assert.deepEqual(
    running.map((pod) => pod.spec?.nodeName),
    ['node-2', 'node-2'],
  )
})
