import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { Counter } from '../../base/metrics.ts'
import type { ProxyHealth } from './health.ts'
import { answerJson, listenHttp } from './server.ts'
import type { Listen, ListeningServer } from './server.ts'

/** What the proxy's own health server tells of. */
export interface ProxyHealthServerOptions {
  readonly listen: Listen
  readonly clock: Clock
  readonly health: ProxyHealth
  readonly families: readonly string[]
  /** Undefined: it is gone, or not known yet. */
  readonly node: () => Frozen<Node> | undefined
  readonly healthz: Counter
  readonly livez: Counter
}

/** The taint of nodes that an autoscaler is about to remove. */
const toBeDeletedTaint = 'ToBeDeletedByClusterAutoscaler'

/** /healthz says whether load balancers should send traffic to this node, /livez whether the proxy works. */
export function startProxyHealthServer(options: ProxyHealthServerOptions): Promise<ListeningServer> {
  return listenHttp(options.listen, (request, response) => {
    const { health } = options
    const path = request.url?.split('?')[0]
    if (path === '/healthz') {
      const nodeEligible = isEligible(options.node())
      const code = health.healthy && nodeEligible ? 200 : 503
      options.healthz.add({ code: String(code) })
      return answerJson(response, code, bodyOf(options, { nodeEligible }))
    }
    if (path === '/livez') {
      const code = health.healthy ? 200 : 503
      options.livez.add({ code: String(code) })
      return answerJson(response, code, bodyOf(options, {}))
    }
    response.writeHead(404).end('404 page not found\n')
  })
}

function bodyOf({ clock, health, families }: ProxyHealthServerOptions, more: object): string {
  const lastUpdated = new Date(health.lastUpdatedMs).toISOString()
  const status = Object.fromEntries(
    families.map((family) => [family === 'ip' ? 'IPv4' : 'IPv6', { lastUpdated, healthy: health.healthy }]),
  )
  return JSON.stringify({ lastUpdated, currentTime: new Date(clock.now()).toISOString(), ...more, status })
}

function isEligible(node: Frozen<Node> | undefined): boolean {
  if (!node || node.metadata.deletionTimestamp !== undefined) return false
  return !node.spec?.taints?.some(({ key }) => key === toBeDeletedTaint)
}
