import { isNotFound } from '../../api/errors/api-error.ts'
import { nodes } from '../../api/generated/resources.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf } from '../../client/object.ts'
import { defineController, done, type Context, type Outcome } from '../framework/controller.ts'
import type { ControllerOptions } from '../options.ts'
import { CidrSet } from './cidr-set.ts'

/** What is left of each of the cluster's ranges. */
type Memory = readonly CidrSet[]

/** Gives each node a range of pod addresses of its own. */
export const nodeIpamController = defineController<Node, Memory>({
  name: 'node-ipam-controller',
  component: 'cidrAllocator',
  reconciles: nodes,
  matters: (node, old) => node.spec?.podCIDR !== old.spec?.podCIDR,
  events: ['CIDRNotAvailable', 'CIDRAssignmentFailed'],
  // One at a time: ranges are handed out in the order of the nodes.
  parallel: 1,
  memory: ({ options }) => rangesOf(options),
  setup(c) {
    const each = (node: Frozen<Node>, act: (set: CidrSet, cidr: string) => void) =>
      cidrsOf(node).forEach((cidr) => c.memory.forEach((set) => act(set, cidr)))
    c.of(nodes).on({
      added: (node) => each(node, (set, cidr) => set.occupy(cidr)),
      updated: (node) => each(node, (set, cidr) => set.occupy(cidr)),
      deleted: (node) => each(node, (set, cidr) => set.release(cidr)),
    })
  },
  reconcile,
})

const cidrsOf = ({ spec }: Frozen<Node>): readonly string[] => spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])

function rangesOf(options: ControllerOptions): CidrSet[] {
  if (!options.allocateNodeCidrs) return []
  const ranges = options.clusterCidr.map(
    (cidr) => new CidrSet(cidr, cidr.includes(':') ? options.nodeCidrMaskSizeIPv6 : options.nodeCidrMaskSizeIPv4),
  )
  for (const set of ranges) for (const service of options.serviceClusterIpRange) set.occupy(service)
  return ranges
}

async function reconcile(node: Frozen<Node>, c: Context<Node, Memory>): Promise<Outcome> {
  const ranges = c.memory
  if (ranges.length === 0 || isBeingDeleted(node) || cidrsOf(node).length > 0) return done
  const given = ranges.map((set) => set.allocate())
  const podCIDRs = given.filter((cidr) => cidr !== undefined)
  const giveBack = () => podCIDRs.forEach((cidr) => ranges.forEach((set) => set.release(cidr)))
  if (podCIDRs.length < ranges.length) {
    giveBack()
    c.event(node, 'Normal', 'CIDRNotAvailable', `Node ${nameOf(node)} status is now: CIDRNotAvailable`)
    throw new Error(`no range of pod addresses is left for the node ${nameOf(node)}`)
  }
  try {
    // Ranges never change once set: the server refuses, should another allocator have been faster.
    await c.client.patch(
      nodes,
      { name: nameOf(node) },
      { spec: { podCIDR: podCIDRs[0], podCIDRs } },
      { type: 'strategic' },
    )
  } catch (error) {
    giveBack()
    if (isNotFound(error)) return done
    c.event(node, 'Normal', 'CIDRAssignmentFailed', `Node ${nameOf(node)} status is now: CIDRAssignmentFailed`)
    throw error
  }
  return done
}
