import type { Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../api/resource.ts'
import { categorize } from './categorize.ts'
import type { Location } from './categorize.ts'
import type { Family, ProxyConfig } from './config.ts'
import { endpointsOf } from './endpoint.ts'
import { PlanDraft } from './rules/plan.ts'
import type { Plan } from './rules/plan.ts'
import { addPortRules } from './rules/service.ts'
import { servicePorts, usesClusterEndpoints, usesLocalEndpoints } from './service-port.ts'

/** What of the node matters to its rules. */
export interface NodeView extends Location {
  readonly nodeIps: readonly string[]
}

/** A Service's share of the table, and what is told about it. */
export interface ServicePlan {
  readonly plan: Plan
  /** It has endpoints, but none on this node where its policy wants one. */
  readonly noLocalEndpoints: { readonly internal: number; readonly external: number }
}

/** What a Service becomes in one family, from what was seen. Pure. */
export function decide(
  service: Frozen<Service>,
  slices: readonly Frozen<EndpointSlice>[],
  view: { readonly config: ProxyConfig; readonly family: Family; readonly node: NodeView },
): ServicePlan {
  const { config, family, node } = view
  const plan = new PlanDraft()
  let internal = 0
  let external = 0
  for (const port of servicePorts(service, family)) {
    const endpoints = categorize(endpointsOf(port, family, slices, node.nodeName), port, node)
    addPortRules(plan, { config, family, port, endpoints, nodeIps: node.nodeIps })
    if (!endpoints.any || !usesLocalEndpoints(port) || endpoints.local.length > 0) continue
    if (port.internalLocal) internal++
    if (port.externalLocal && usesClusterEndpoints(port)) external++
  }
  return { plan, noLocalEndpoints: { internal, external } }
}
