import { containerLogs } from './endpoints/container-logs.ts'
import { cadvisorMetrics, probeMetrics, resourceMetrics } from './endpoints/metrics.ts'
import { nodeLogs } from './endpoints/node-logs.ts'
import { pods, runningPods } from './endpoints/pods.ts'
import { attach, exec, portForward, run } from './endpoints/sessions.ts'
import { statsSummary } from './endpoints/stats-summary.ts'
import { json, prometheus, text, type Endpoint } from './request.ts'

/** Methods, the path's pattern and who answers. `{name}` takes one segment, `{name...}` all that follow. */
export type Route = readonly [methods: readonly string[], pattern: string, endpoint: Endpoint]

const get = ['GET', 'HEAD'] as const
/** SPDY clients ask with POST, WebSocket clients with GET. */
const both = ['GET', 'POST'] as const

/** All that the kubelet answers. */
export const routes: readonly Route[] = [
  [get, '/healthz', health],
  [get, '/healthz/ping', () => text('ok')],
  [get, '/healthz/log', () => text('ok')],
  [get, '/healthz/syncloop', health],
  [get, '/pods', pods],
  [get, '/runningpods/', runningPods],
  [get, '/stats/summary', statsSummary],
  [get, '/metrics', ({ server }) => prometheus(server.metrics.text())],
  [get, '/metrics/cadvisor', cadvisorMetrics],
  [get, '/metrics/probes', probeMetrics],
  [get, '/metrics/resource', resourceMetrics],
  [
    get,
    '/configz',
    ({ server }) =>
      json({
        kubeletconfig: { kind: 'KubeletConfiguration', apiVersion: 'kubelet.config.k8s.io/v1beta1', ...server.config },
      }),
  ],
  [get, '/containerLogs/{namespace}/{pod}/{container}', containerLogs],
  [both, '/exec/{namespace}/{pod}/{container}', exec],
  [both, '/exec/{namespace}/{pod}/{uid}/{container}', exec],
  [both, '/attach/{namespace}/{pod}/{container}', attach],
  [both, '/attach/{namespace}/{pod}/{uid}/{container}', attach],
  [both, '/portForward/{namespace}/{pod}', portForward],
  [both, '/portForward/{namespace}/{pod}/{uid}', portForward],
  [['POST'], '/run/{namespace}/{pod}/{container}', run],
  [['POST'], '/run/{namespace}/{pod}/{uid}/{container}', run],
  [get, '/logs', nodeLogs],
  [get, '/logs/{path...}', nodeLogs],
]

function health({ server }: Parameters<Endpoint>[0]) {
  const fault = server.kubelet.fault()
  return fault === undefined
    ? text('ok')
    : text(`[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n`, 500)
}

/** Finds who answers. 'method': the path is there for other methods. */
export function findRoute(
  method: string,
  path: string,
): { readonly endpoint: Endpoint; readonly params: Record<string, string> } | 'method' | undefined {
  let found: 'method' | undefined
  for (const [methods, pattern, endpoint] of routes) {
    const params = match(pattern, path)
    if (!params) continue
    if (methods.includes(method)) return { endpoint, params }
    found = 'method'
  }
  return found
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/').filter(Boolean)
  const given = path.split('/').filter(Boolean)
  const params: Record<string, string> = {}
  for (const [i, want] of wanted.entries()) {
    if (want.endsWith('...}')) {
      params[want.slice(1, -4)] = given.slice(i).map(decoded).join('/')
      return params
    }
    const segment = given[i]
    if (segment === undefined) return undefined
    if (want.startsWith('{')) params[want.slice(1, -1)] = decoded(segment)
    else if (want !== segment) return undefined
  }
  return given.length === wanted.length ? params : undefined
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
