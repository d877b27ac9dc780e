import { ipAddresses, serviceCIDRs } from '../../api/generated/resources.ts'
import type { ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, msOf, nameOf, timestamp } from '../../client/object.ts'
import { withCondition, type Condition } from '../framework/conditions.ts'
import { defineController, done, requeueAfter, watch, type Context, type Outcome } from '../framework/controller.ts'
import { containsAddress, containsRange, parseRange } from '../framework/ip-range.ts'

type Cidr = Frozen<ServiceCIDR>
type C = Context<ServiceCIDR>

const finalizer = 'networking.k8s.io/service-cidr-finalizer'
const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
const allocator = 'ipallocator.k8s.io'
/** API servers may still hand out addresses of a range whose deletion they have not heard of. */
const graceMs = 10_000

/** Says which ranges Services may have addresses of, and keeps ranges while addresses of theirs are in use. */
export const serviceCidrController = defineController<ServiceCIDR>({
  name: 'service-cidr-controller',
  reconciles: serviceCIDRs,
  watches: [
    watch(serviceCIDRs, (cidr, { informers }) => overlapping(cidr, informers.of(serviceCIDRs).list()).map(nameOf)),
    watch(ipAddresses, (address, { informers }) =>
      informers
        .of(serviceCIDRs)
        .list()
        .filter(
          (cidr) => isBeingDeleted(cidr) && rangesOf(cidr).some((range) => containsAddress(range, nameOf(address))),
        )
        .map(nameOf),
    ),
  ],
  events: ['KubernetesServiceCIDRError'],
  parallel: 5,
  reconcile,
})

const rangesOf = ({ spec }: Cidr) => (spec?.cidrs ?? []).map(parseRange)

const overlapping = (cidr: Cidr, all: readonly Cidr[]): Cidr[] =>
  all.filter((other) =>
    rangesOf(other).some((a) => rangesOf(cidr).some((b) => containsRange(a, b) || containsRange(b, a))),
  )

async function reconcile(cidr: Cidr, c: C): Promise<Outcome> {
  const finalizers = cidr.metadata.finalizers ?? []
  if (!isBeingDeleted(cidr)) {
    const guarded = finalizers.includes(finalizer) ? cidr : await writeFinalizers(cidr, [...finalizers, finalizer], c)
    return setReady(guarded, { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }, c)
  }
  if (!finalizers.includes(finalizer)) return done
  if (isNeeded(cidr, c))
    return setReady(
      cidr,
      {
        status: 'False',
        reason: 'Terminating',
        message:
          'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
      },
      c,
    )
  const leftMs = msOf(cidr.metadata.deletionTimestamp ?? '') + graceMs - c.clock.now()
  if (leftMs > 0) return requeueAfter(leftMs)
  await writeFinalizers(
    cidr,
    finalizers.filter((name) => name !== finalizer),
    c,
  )
  return done
}

/** An address in use is in this range, and in no other. */
function isNeeded(cidr: Cidr, c: C): boolean {
  const others = c
    .of(serviceCIDRs)
    .list()
    .filter((other) => nameOf(other) !== nameOf(cidr))
  const covered = rangesOf(cidr).every((range) =>
    others.some((other) => rangesOf(other).some((outer) => containsRange(outer, range))),
  )
  if (covered) return false
  return c
    .of(ipAddresses)
    .list()
    .filter((address) => labelsOf(address)[managedByLabel] === allocator)
    .some(
      (address) =>
        rangesOf(cidr).some((range) => containsAddress(range, nameOf(address))) &&
        !others.some((other) => rangesOf(other).some((range) => containsAddress(range, nameOf(address)))),
    )
}

async function writeFinalizers(cidr: Cidr, finalizers: readonly string[], c: C): Promise<Cidr> {
  const written = await c.client.patch(
    serviceCIDRs,
    { name: nameOf(cidr) },
    { metadata: { finalizers, resourceVersion: cidr.metadata.resourceVersion } },
    { type: 'merge' },
  )
  c.wroteSelf(written)
  return written
}

async function setReady(
  cidr: Cidr,
  ready: Required<Pick<Condition, 'status' | 'reason' | 'message'>>,
  c: C,
): Promise<Outcome> {
  const condition = { type: 'Ready', ...ready, lastTransitionTime: timestamp(c.clock.now()) }
  await c.writeStatus(cidr, { ...cidr.status, conditions: withCondition(cidr.status?.conditions, condition) })
  return done
}
