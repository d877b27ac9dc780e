import { isNotFound } from '../../api/errors/api-error.ts'
import { leases } from '../../api/generated/resources.ts'
import type { Lease } from '../../api/generated/types/coordination-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import { microTimestamp } from '../../client/object.ts'

/** Whose lease, and for how long. */
export interface NodeLeaseOptions extends Deps {
  readonly client: Client
  readonly nodeName: string
  readonly durationSeconds: number
  /** The node's UID once it is registered: the lease goes with it. */
  readonly nodeUid: () => string | undefined
}

const namespace = 'kube-node-lease'
/** A lease is renewed when this part of its time is over. */
const renewPart = 0.25
/** A renewal that fails is tried again at once so often, then at its next turn; a first one that fails waits longer each time. */
const attemptsMax = 5

/** Renews the node's lease until the signal is aborted: the sign by which the cluster knows that the node lives. */
export async function renewLease(options: NodeLeaseOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options
  let held: Frozen<Lease> | undefined
  const periodMs = options.durationSeconds * 1000 * renewPart
  while (!signal.aborted) {
    held = await renew(options, held).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error }, 'the node lease could not be renewed')
      return undefined
    })
    // A little sooner or later, so that not all nodes come at once.
    await clock.sleep(periodMs * (1 + 0.04 * (options.random.number() - 0.5)), signal).catch(() => undefined) // Aborted: the loop ends.
  }
}

async function renew(options: NodeLeaseOptions, held: Frozen<Lease> | undefined): Promise<Frozen<Lease>> {
  const { client, nodeName } = options
  let failure: unknown
  let base = held
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      base ??= await client.get(leases, { namespace, name: nodeName }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      })
      return base
        ? await client.update(leases, renewed(base, options))
        : await client.create(leases, renewed({ metadata: { namespace, name: nodeName } }, options))
    } catch (error) {
      failure = error
      base = undefined // Somebody else wrote it, or it is gone: read it anew.
    }
  }
  throw failure
}

function renewed(base: Frozen<Lease>, { clock, nodeName, durationSeconds, nodeUid }: NodeLeaseOptions): Frozen<Lease> {
  const uid = nodeUid()
  return {
    ...base,
    metadata: {
      ...base.metadata,
      ...(uid && { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }] }),
    },
    spec: {
      ...base.spec,
      holderIdentity: nodeName,
      leaseDurationSeconds: durationSeconds,
      renewTime: microTimestamp(clock.now()),
    },
  }
}
