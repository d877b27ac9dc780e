import type { Metrics } from '../../base/metrics.ts'
import { listenHttp } from './server.ts'
import type { Listen, ListeningServer } from './server.ts'

/** Serves /metrics, /healthz and /proxyMode, as upstream does on 127.0.0.1:10249. */
export function startProxyMetricsServer(listen: Listen, metrics: Metrics): Promise<ListeningServer> {
  const pages: Readonly<Record<string, () => readonly [type: string, text: string]>> = {
    '/metrics': () => ['text/plain; version=0.0.4; charset=utf-8; escaping=underscores', metrics.text()],
    '/healthz': () => ['text/plain; charset=utf-8', 'ok'],
    '/proxyMode': () => ['text/plain; charset=utf-8', 'nftables'],
  }
  return listenHttp(listen, (request, response) => {
    const page = pages[request.url?.split('?')[0] ?? '']
    if (!page)
      return void response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
    const [type, text] = page()
    response.writeHead(200, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }).end(text)
  })
}
