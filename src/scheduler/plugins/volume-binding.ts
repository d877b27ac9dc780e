import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { StorageClass } from '../../api/generated/types/storage-v1.ts'
import { matcherOf } from '../../api/selector/label.ts'
import type { Frozen } from '../../api/resource.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import { amountOf } from '../cache/resources.ts'
import { definePlugin, Rejected, skip, unresolvable, type World } from '../framework.ts'
import { carryOut } from '../volumes/carry-out.ts'
import { classOf } from '../../api/core/claim-binding.ts'
import { claimOf, claimsUsedBy, isFullyBound } from '../volumes/claims.ts'
import { reaches, requestedBytes, volumeFor } from '../volumes/matching.ts'
import { selectedNodeAnnotation, type VolumePlan } from '../volumes/volume-decisions.ts'

type Claim = Frozen<PersistentVolumeClaim>

/** A Pod's claims: the volumes of those that are bound (undefined: gone), and those that wait for the Pod's node, smallest first. */
interface State {
  readonly bound: readonly (Frozen<PersistentVolume> | undefined)[]
  readonly waiting: readonly Claim[]
  readonly volumes: readonly Frozen<PersistentVolume>[]
}

const nodeConflict = "node(s) didn't match PersistentVolume's node affinity"
const bindConflict = "node(s) didn't find available persistent volumes to bind"
const notEnoughSpace = 'node(s) did not have enough free storage'
const volumeMissing = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

/** Upstream's name for a class whose volumes are made by hand. */
const noProvisioner = 'kubernetes.io/no-provisioner'

/** Takes care that a Pod's volumes can be reached from its node: bound ones are, and ones that wait for the Pod are found or made there. */
export const volumeBinding = definePlugin<State, undefined>({
  name: 'VolumeBinding',
  events: (
    [
      'PersistentVolumeClaim/Add',
      'PersistentVolumeClaim/Update',
      'PersistentVolume/Add',
      'PersistentVolume/Update',
      'StorageClass/Add',
      'StorageClass/Update',
      'Node/Add',
      'Node/Update',
      'CSINode/Add',
      'CSINode/Update',
      'CSIDriver/Update',
      'CSIStorageCapacity/Add',
      'CSIStorageCapacity/Update',
    ] as const
  ).map((on) => ({ on })),
  preFilter({ pod }, world) {
    const uses = claimsUsedBy(pod)
    if (uses.length === 0) return skip
    const bound: State['bound'][number][] = []
    const waiting: Claim[] = []
    let immediate = false
    for (const use of uses) {
      const { claim: known, why } = claimOf(pod, use, world.listers)
      if (!known) return new Rejected(unresolvable(why))
      const claim = world.volumes.claim(known)
      if (isFullyBound(claim)) bound.push(world.volumes.volume(claim.spec!.volumeName!))
      else if (!claim.spec?.volumeName && waitsForPod(claim, world)) waiting.push(claim)
      else immediate = true
    }
    if (immediate) return new Rejected(unresolvable('pod has unbound immediate PersistentVolumeClaims'))
    waiting.sort((a, b) => requestedBytes(a) - requestedBytes(b))
    return { bound, waiting, volumes: waiting.length ? world.volumes.volumes() : [] }
  },
  filter(state, node, _, world) {
    const decision = decide(state, node, world)
    return 'reasons' in decision ? unresolvable(...decision.reasons) : undefined
  },
  reserve(pod, node, world, state) {
    if (!state || state.waiting.length === 0) return undefined
    const decision = decide(state, node, world)
    if ('reasons' in decision) return unresolvable(...decision.reasons)
    world.volumes.assume(pod.key, decision, node.name)
    return undefined
  },
  unreserve: (pod, _, world) => world.volumes.takeBack(pod.key),
  async preBind(pod: PodInfo, node: NodeInfo, world: World, means) {
    const plan = world.volumes.plan(pod.key)
    if (!plan) return
    await carryOut(plan, pod, node, { ...means, world })
    world.volumes.done(pod.key)
  },
})

const waitsForPod = (claim: Claim, { listers }: World) =>
  listers.storageClasses.get({ name: classOf(claim) })?.volumeBindingMode === 'WaitForFirstConsumer'

/** Which volumes the Pod would get on a node, or why it cannot have them there. */
function decide(
  { bound, waiting, volumes }: State,
  { node, name }: NodeInfo,
  world: World,
): VolumePlan | { readonly reasons: readonly string[] } {
  const reasons: string[] = []
  const missing = bound.findIndex((volume) => volume === undefined)
  const far = bound.findIndex((volume) => volume !== undefined && !reaches(volume, node))
  // The first claim that fails decides, as upstream.
  const conflict = far >= 0 && (missing < 0 || far < missing)
  if (conflict) reasons.push(nodeConflict)
  const bindings: { volume: Frozen<PersistentVolume>; claim: Claim }[] = []
  const provisions: Claim[] = []
  const taken = new Set<string>()
  let lacking: string | undefined
  for (const claim of waiting) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation]
    if (selected !== undefined && selected !== name) {
      lacking = bindConflict
      break
    }
    const volume = selected === undefined ? volumeFor(claim, volumes, node, taken) : undefined
    if (volume) {
      taken.add(volume.metadata.name ?? '')
      bindings.push({ volume, claim })
    } else provisions.push(claim)
  }
  for (const claim of provisions) lacking ??= whyNotProvisioned(claim, node, world)
  if (lacking) reasons.push(lacking)
  if (missing >= 0 && !conflict) reasons.push(volumeMissing)
  return reasons.length > 0 ? { reasons } : { bindings, provisions }
}

function whyNotProvisioned(claim: Claim, node: Frozen<Node>, world: World): string | undefined {
  const storageClass = world.listers.storageClasses.get({ name: classOf(claim) })
  if (!storageClass?.provisioner || storageClass.provisioner === noProvisioner) return bindConflict
  const terms = storageClass.allowedTopologies ?? []
  const labels = node.metadata.labels ?? {}
  if (
    terms.length > 0 &&
    !terms.some(
      ({ matchLabelExpressions = [] }) =>
        matchLabelExpressions.length > 0 &&
        matchLabelExpressions.every(({ key, values }) => labels[key] !== undefined && values.includes(labels[key])),
    )
  )
    return bindConflict
  return hasRoom(claim, storageClass, node, world) ? undefined : notEnoughSpace
}

/** Whether a driver that tells its free space has enough near a node. */
function hasRoom(
  claim: Claim,
  { metadata, provisioner }: Frozen<StorageClass>,
  node: Frozen<Node>,
  { listers }: World,
): boolean {
  if (
    claim.spec?.resources?.requests?.['storage'] === undefined ||
    !listers.csiDrivers.get({ name: provisioner })?.spec.storageCapacity
  )
    return true
  return listers.csiStorageCapacities.list().some(({ storageClassName, capacity, maximumVolumeSize, nodeTopology }) => {
    const most = maximumVolumeSize ?? capacity
    return (
      storageClassName === metadata.name &&
      most !== undefined &&
      amountOf('storage', most) >= requestedBytes(claim) &&
      nodeTopology !== undefined &&
      matcherOf(nodeTopology).matches(node.metadata.labels)
    )
  })
}
