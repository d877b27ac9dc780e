import type { Node, NodeStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import type { Image, RuntimeStatus } from '../../runtime/cri/generated/cri.ts'
import type { ContainerRuntime, RuntimeFeatures } from '../../runtime/runtime.ts'
import type { KubeletSettings } from '../config.ts'
import type { Machine } from '../host/host.ts'
import { allocatableOf } from './allocatable.ts'
import { nodeConditions, type Pressures } from './node-conditions.ts'

/** What a node's status is read from. */
export interface NodeStatusSources {
  readonly machine: Machine
  readonly runtime: ContainerRuntime
  readonly settings: KubeletSettings
  /** Of the kubelet's HTTPS server. */
  readonly port: number
  readonly pressures: Pressures
  readonly volumesInUse: readonly string[]
  readonly nowMs: number
}

/** The node's status and what else was learned on the way. */
export interface NodeReading {
  readonly status: NodeStatus
  readonly runtime: RuntimeStatus | undefined
  readonly features: RuntimeFeatures | undefined
}

/** Upstream shows the largest fifty. */
const imagesMax = 50
const imageNamesMax = 5

/** Reads the node as it is. */
export async function readNode(sources: NodeStatusSources, previous: Frozen<Node> | undefined): Promise<NodeReading> {
  const { machine, runtime, settings } = sources
  let runtimeFault = ''
  const [capacity, addresses, answer, images, nodeInfo] = await Promise.all([
    machine.capacity(),
    machine.addresses(),
    runtime.status().catch((error: unknown) => {
      runtimeFault = (error as Error).message
      return undefined
    }),
    runtime.listImages().catch(() => undefined), // The conditions tell when the runtime is down.
    machine.nodeInfo().catch(() => previous?.status?.nodeInfo as NonNullable<NodeStatus['nodeInfo']> | undefined), // The same.
  ])
  const pods =
    settings.podsPerCore > 0
      ? Math.min(settings.maxPods, settings.podsPerCore * Number(capacity['cpu']))
      : settings.maxPods
  // Others tell of resources that are not the machine's: what they wrote stays.
  const whole = { ...previous?.status?.capacity, ...capacity, pods: String(pods) }
  const nowText = timestamp(sources.nowMs)
  const status: NodeStatus = {
    capacity: whole,
    allocatable: { ...allocatableOf(whole, settings) },
    conditions: nodeConditions(
      { pressures: sources.pressures, runtime: answer?.status, runtimeFault, nowText },
      previous?.status?.conditions ?? [],
    ),
    addresses: [...addresses],
    daemonEndpoints: { kubeletEndpoint: { Port: sources.port } },
    ...(nodeInfo && { nodeInfo }),
    images: images ? imageStatuses(images) : ((previous?.status?.images as NodeStatus['images'] & object) ?? []),
    ...(sources.volumesInUse.length > 0 && { volumesInUse: [...sources.volumesInUse] }),
    ...(answer &&
      answer.features.handlers.length > 0 && {
        runtimeHandlers: answer.features.handlers.map(({ name, features }) => ({
          name,
          features: {
            recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false,
            userNamespaces: features?.userNamespaces ?? false,
          },
        })),
      }),
    ...(answer?.features.supplementalGroupsPolicy && { features: { supplementalGroupsPolicy: true } }),
  }
  return { status, runtime: answer?.status, features: answer?.features }
}

function imageStatuses(images: readonly Image[]) {
  return [...images]
    .sort((a, b) => b.size - a.size || (a.id < b.id ? -1 : 1))
    .map(({ repoTags, repoDigests, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, imageNamesMax),
      sizeBytes: size,
    }))
    .filter(({ names }) => names.length > 0)
    .slice(0, imagesMax)
}
