import { type Figure, atMost, figure, median, timed } from './measure.ts'

/** The library: a whole cluster in this process, from `Cluster.start()` until a Deployment's pods run. */
export async function libraryFigures(): Promise<Figure[]> {
  const importMs = await timed(() => import('../src/index.ts'))
  const { Cluster, deployments, pods } = await import('../src/index.ts')
  const start = () =>
    timed(async () => {
      const cluster = await Cluster.start()
      stop = () => cluster.stop()
    })
  let stop = async () => {}
  const startAndStop = async () => {
    const ms = await start()
    await stop()
    return ms
  }
  const firstMs = await startAndStop()
  for (let run = 0; run < 10; run++) await startAndStop()
  const warmMs = await median(9, startAndStop)
  const cluster = await Cluster.start()
  const labels = { app: 'web' }
  const web = {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 10,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
    },
  }
  const runningMs = await timed(async () => {
    await cluster.client.create(deployments, web)
    for (let running = 0; running < 10;) {
      await cluster.advance({ seconds: 1 })
      const { items } = await cluster.client.list(pods, { namespace: 'default' })
      running = items.filter(({ status }) => status?.phase === 'Running').length
    }
  })
  await cluster.stop()
  return [
    figure('library: import, from source', importMs, 'ms'),
    figure('library: first Cluster.start() of a process', firstMs, 'ms'),
    atMost('library: Cluster.start() in a warm process', warmMs, 'ms', 50),
    figure('library: a Deployment of 10 pods until they run, on the virtual clock', runningMs, 'ms'),
  ]
}
