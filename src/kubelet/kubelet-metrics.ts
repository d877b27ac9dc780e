import type { KubeletParts } from './kubelet-parts.ts'

/** What a kubelet's metrics say of its node, read when they are asked for. Names are upstream's. */
export function exposeMetrics(parts: KubeletParts): void {
  const { metrics, nodeName, clock } = parts.options
  const pods = metrics.gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox')
  const containers = metrics.gauge('kubelet_running_containers', 'Number of containers currently running')
  const desired = metrics.gauge(
    'kubelet_desired_pods',
    'The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.',
  )
  const lastSeen = metrics.gauge(
    'kubelet_pleg_last_seen_seconds',
    'Timestamp in seconds when PLEG was last seen active.',
  )
  metrics.gauge('kubelet_node_name', "The node's name. The count is always 1.").set(1, { node: nodeName })
  metrics.onScrape(() => {
    const counts = { created: 0, running: 0, exited: 0, unknown: 0 }
    let sandboxes = 0
    for (const { sandboxes: found, containers: all } of parts.state.all()) {
      if (found.some(({ ready }) => ready)) sandboxes++
      for (const { phase } of all) counts[phase]++
    }
    pods.set(sandboxes)
    for (const [state, count] of Object.entries(counts)) containers.set(count, { container_state: state })
    desired.set(parts.pods.active().length, { static: '' })
    lastSeen.set(Math.floor(Math.min(parts.pleg.lookedMs, clock.now()) / 1000))
  })
}
