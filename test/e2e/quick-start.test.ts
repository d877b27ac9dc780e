import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import {
  configMaps,
  deployments,
  events,
  namespaces,
  nodes,
  pods,
  services,
} from '../../src/api/generated/resources.ts'
import type { Deployment } from '../../src/api/generated/types/apps-v1.ts'
import type { Pod } from '../../src/api/generated/types/core-v1.ts'
import type { Frozen } from '../../src/api/resource.ts'
import { inNetworkNamespace, runCommand } from '../../src/base/command.ts'
import type { Client } from '../../src/client/client.ts'
import { busyboxArchive, testImage } from './busybox-image.ts'
import { cannotRun, eventually, testCluster } from './test-cluster.ts'

const options = { skip: cannotRun, timeout: 240_000 }
const cluster = testCluster('e2e', 0)
let client: Client

const inNode = (node: string) => inNetworkNamespace(runCommand, `/run/netns/kubernode.${cluster.name}.${node}`)
const fetchFrom = async (node: string, url: string) =>
  (
    await inNode(node)({
      file: process.execPath,
      args: ['-e', `fetch(${JSON.stringify(url)}).then((r) => r.text()).then((t) => process.stdout.write(t))`],
    })
  ).stdout
const daemonPid = () =>
  Number(readFileSync(join(cluster.home, 'run', cluster.name, 'kubernode.pid'), 'utf8').split(' ')[0])
const web = async () =>
  (await client.list(pods, { namespace: 'default', labelSelector: 'app=web' })).items.filter(
    (pod) => !pod.metadata.deletionTimestamp,
  )
const isReady = (pod: Frozen<Pod>) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

const page =
  'mkdir -p /www; echo "$(cat /etc/conf/greeting) from $HOSTNAME" > /www/index.html; exec httpd -f -p 8080 -h /www'
const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'web',
            image: testImage,
            command: ['/bin/busybox', 'sh', '-c', page],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }],
          },
        ],
        volumes: [{ name: 'conf', configMap: { name: 'conf' } }],
      },
    },
  },
}

before(async () => {
  if (cannotRun) return
  await cluster.kubernode('up', '--nodes', '2', '--timeout', '90s')
  await cluster.kubernode('image', 'load', await busyboxArchive(cluster.home))
  client = await cluster.client()
})
after(() => (cannotRun ? undefined : cluster.remove()))

test('both nodes are Ready, and status says so', options, async () => {
  const list = await client.list(nodes)
  assert.deepEqual(
    list.items.map(({ metadata }) => metadata.name),
    ['e2e-1', 'e2e-2'],
  )
  assert.match((await cluster.kubernode('status')).stdout, /node e2e-2 +ok/)
})

test('a Deployment runs on both nodes, and its Service answers on each of them', options, async () => {
  await client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'conf', namespace: 'default' },
    data: { greeting: 'hello' },
  })
  await client.create(deployments, deployment)
  await client.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  })
  const running = await eventually('three ready Pods', web, (list) => list.length === 3 && list.every(isReady))
  assert.equal(new Set(running.map((pod) => pod.spec?.nodeName)).size, 2)
  const service = await eventually(
    'a load balancer address',
    () => client.get(services, { namespace: 'default', name: 'web' }),
    ({ status }) => (status?.loadBalancer?.ingress?.length ?? 0) > 0,
  )
  for (const url of [
    `http://${service.spec?.clusterIP}/`,
    `http://${service.status?.loadBalancer?.ingress?.[0]?.ip}/`,
    `http://10.77.0.3:${service.spec?.ports?.[0]?.nodePort}/`,
  ]) {
    for (const node of ['e2e-1', 'e2e-2'])
      assert.match(
        await eventually(
          `${url} from ${node}`,
          () => fetchFrom(node, url),
          (text) => text !== '',
          10_000,
        ),
        /^hello from web-/,
      )
  }
})

test('from a Pod the Service is found by its name', options, async () => {
  const script = 'wget -q -O - http://web.default.svc.cluster.local/ > /dev/termination-log'
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asker', namespace: 'default' },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: testImage, command: ['/bin/busybox', 'sh', '-c', script] }],
    },
  })
  const done = await eventually(
    'the asker ends',
    () => client.get(pods, { namespace: 'default', name: 'asker' }),
    ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed',
  )
  assert.match(done.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '', /^hello from web-/)
})

test('an image that does not exist leaves the old Pods serving, and says why', options, async () => {
  await client.patch(
    deployments,
    { namespace: 'default', name: 'web' },
    { spec: { template: { spec: { containers: [{ name: 'web', image: 'kubernode.local/no-such-image:1' }] } } } },
    { type: 'strategic' },
  )
  const reasonOf = (pod: Frozen<Pod>) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ''
  await eventually('ErrImagePull or ImagePullBackOff', web, (list) =>
    list.some((pod) => /^(ErrImagePull|ImagePullBackOff)$/.test(reasonOf(pod))),
  )
  assert.ok((await web()).filter(isReady).length >= 2)
  assert.ok(
    (await client.list(events, { namespace: 'default' })).items.some(
      ({ reason, message }) => reason === 'Failed' && /no-such-image/.test(message ?? ''),
    ),
  )
  await client.patch(
    deployments,
    { namespace: 'default', name: 'web' },
    { spec: { template: { spec: { containers: [{ name: 'web', image: testImage }] } } } },
    { type: 'strategic' },
  )
  await eventually('the old state is back', web, (list) => list.length === 3 && list.every(isReady))
})

test(
  'kill -9 of every Kubernode process loses nothing, and the next start adopts the containers',
  options,
  async () => {
    const identity = (list: readonly Frozen<Pod>[]) =>
      list
        .map((pod) => [
          pod.metadata.name,
          pod.status?.containerStatuses?.[0]?.containerID,
          pod.status?.containerStatuses?.[0]?.restartCount,
        ])
        .sort()
    const earlier = identity(await web())
    const made = await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'last', namespace: 'default' },
      data: { a: 'b' },
    })
    process.kill(daemonPid(), 'SIGKILL')
    for (const node of ['e2e-1', 'e2e-2'])
      process.kill(
        Number(readFileSync(join(cluster.home, 'run', cluster.name, 'nodes', node, 'node.pid'), 'utf8').split(' ')[0]),
        'SIGKILL',
      )
    await cluster.kubernode('up', '--nodes', '2')
    client = await cluster.client()
    assert.equal((await client.get(configMaps, { namespace: 'default', name: 'last' })).metadata.uid, made.metadata.uid)
    await eventually('Pods are ready again', web, (list) => list.length === 3 && list.every(isReady))
    assert.deepEqual(identity(await web()), earlier)
  },
)

test('deleting a namespace deletes what is in it', options, async () => {
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'short' } })
  await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'short' } })
  await client.delete(namespaces, { name: 'short' })
  await eventually(
    'the namespace is gone',
    () => client.list(namespaces),
    ({ items }) => items.every(({ metadata }) => metadata.name !== 'short'),
  )
})

test('after down and up everything is as it was', options, async () => {
  await cluster.kubernode('down')
  await cluster.kubernode('up', '--nodes', '2')
  client = await cluster.client()
  await eventually('Pods run again', web, (list) => list.length === 3 && list.every(isReady))
})

test('delete leaves nothing behind', options, async () => {
  await cluster.kubernode('delete')
  assert.deepEqual(existsSync(join(cluster.home, 'data')) ? readdirSync(join(cluster.home, 'data')) : [], [])
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(cluster.home), 'a mount is left')
  assert.ok(
    !(await runCommand({ file: 'ip', args: ['netns', 'list'] })).stdout.includes(`kubernode.${cluster.name}.`),
    'a network namespace is left',
  )
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const commands = processes.map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? readCommand(pid) : ''))
  assert.deepEqual(
    commands.filter((line) => line.includes(cluster.home)),
    [],
  )
})

/** A process' command line; '' when it has ended meanwhile. */
function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
