import { ApiError, badRequest, forbidden, isConflict, notFound, tooManyRequests } from '../../api/errors/api-error.ts'
import { podDisruptionBudgets, pods } from '../../api/generated/resources.ts'
import type { Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import type { Eviction, PodDisruptionBudget } from '../../api/generated/types/policy-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { definition } from '../../api/schema/builtin.ts'
import { normalise } from '../../api/schema/decode.ts'
import { matcherOf } from '../../api/selector/label.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeAs } from '../request/decode-body.ts'
import { deletionOf, writeOptions, type Deletion } from '../request/options.ts'
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { writeOf } from '../verbs/create.ts'
import { deleteObject } from '../verbs/delete.ts'
import { attributesOf, type Operation } from '../verbs/write.ts'

/** POST of a pod's eviction: a deletion that its disruption budget must allow. */
export async function evictPod(core: Core, request: ResourceRequest): Promise<Answer> {
  const options = writeOptions(request.query, 'CreateOptions')
  const eviction = await decodeAs<Eviction>(
    request,
    { schema: definition('api.policy.v1.Eviction'), group: 'policy', version: 'v1', kind: 'Eviction' },
    options.fieldValidation,
  )
  const { name, namespace } = request.info
  const metadata = (eviction.metadata ??= {})
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object')
  const given = eviction.deleteOptions ?? {}
  if (options.dryRun && given.dryRun?.length && given.dryRun[0] !== 'All')
    throw badRequest('Non-matching dry-run options in request and content: [All] and []')
  const deletion = deletionOf(given)
  const dryRun = deletion.dryRun || options.dryRun
  const write = { ...writeOf(request, options, 'CreateOptions'), dryRun }
  const attributes = attributesOf(write, 'CREATE', eviction as Draft, undefined)
  await core.admission.admit(attributes)
  await core.admission.validate(attributes)
  await evict(core, { ...write, subresource: '', kind: core.registry.storageOfResource(pods)!.kind }, name, deletion)
  return valueAnswer({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as object, 201)
}

async function evict(core: Core, write: Operation, name: string, deletion: Deletion): Promise<void> {
  const pod = core.registry.get(pods, { namespace: write.namespace, name })
  if (!pod) throw notFound(pods, name)
  if (outsideOfBudgets(pod)) return remove(core, write, name, deletion)
  const budgets = core.registry.list(podDisruptionBudgets, write.namespace).filter((budget) => chooses(budget, pod))
  if (budgets.length > 1) {
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      code: 500,
    })
  }
  const [budget] = budgets
  if (!budget) return remove(core, write, name, deletion)
  if (!isReady(pod) && mayLoseUnhealthy(budget)) {
    try {
      return await remove(core, write, name, {
        ...deletion,
        resourceVersion: deletion.resourceVersion ?? pod.metadata!.resourceVersion,
      })
    } catch (error) {
      if (isConflict(error) && deletion.resourceVersion === undefined) throw stillProcessed(budget)
      throw error
    }
  }
  await takeFrom(core, budget, name, write.dryRun)
  return remove(core, write, name, deletion)
}

const outsideOfBudgets = ({ status, metadata }: Frozen<Pod>): boolean =>
  status?.phase === 'Succeeded' ||
  status?.phase === 'Failed' ||
  status?.phase === 'Pending' ||
  Boolean(metadata?.deletionTimestamp)

function chooses({ spec }: Frozen<PodDisruptionBudget>, pod: Frozen<Pod>): boolean {
  try {
    return matcherOf(spec?.selector).matches(pod.metadata?.labels ?? {})
  } catch {
    // An invalid selector chooses nothing.
    return false
  }
}

const isReady = ({ status }: Frozen<Pod>): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false

function mayLoseUnhealthy({ spec, status }: Frozen<PodDisruptionBudget>): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0
}

/** Budgets whose controller is this far behind take no more. */
const disruptedPodsMax = 2000

/** Takes one disruption from the budget and notes the pod in it. Throws 429 when there is none left. */
async function takeFrom(
  core: Core,
  { metadata }: Frozen<PodDisruptionBudget>,
  podName: string,
  dryRun: boolean,
): Promise<void> {
  const storage = core.registry.storageOfResource(podDisruptionBudgets)!
  await storage.change(storage.keyOf(metadata!.namespace!, metadata!.name!), (current) => {
    if (!current) throw notFound(podDisruptionBudgets, metadata!.name!)
    const budget = current.object as Frozen<PodDisruptionBudget>
    const status = budget.status
    if ((status?.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) throw stillProcessed(budget)
    const allowed = status?.disruptionsAllowed ?? 0
    if (allowed < 0)
      throw forbidden(
        { group: 'policy', plural: 'poddisruptionbudget' },
        budget.metadata!.name!,
        'pdb disruptions allowed is negative',
      )
    if (Object.keys(status?.disruptedPods ?? {}).length > disruptedPodsMax) {
      throw forbidden(
        { group: 'policy', plural: 'poddisruptionbudget' },
        budget.metadata!.name!,
        'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      )
    }
    if (allowed === 0)
      throw violated(
        `The disruption budget ${budget.metadata!.name!} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
        0,
      )
    if (dryRun) return { action: 'keep' }
    const changed = {
      ...budget,
      status: {
        ...status,
        disruptionsAllowed: allowed - 1,
        disruptedPods: { ...status?.disruptedPods, [podName]: timeText(core.clock.now()) },
      },
    }
    return { action: 'write', draft: normalise(storage.kind.schema, changed) as unknown as Draft }
  })
}

const stillProcessed = ({ metadata }: Frozen<PodDisruptionBudget>): ApiError =>
  violated(`The disruption budget ${metadata!.name!} is still being processed by the server.`, 10)

function violated(cause: string, retryAfterSeconds: number): ApiError {
  const { status } = tooManyRequests(
    "Cannot evict pod as it would violate the pod's disruption budget.",
    retryAfterSeconds,
  )
  return new ApiError({
    ...status,
    details: {
      ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
      causes: [{ reason: 'DisruptionBudget', message: cause }],
    },
  })
}

/** Says why in the pod's conditions, then deletes it. */
async function remove(core: Core, write: Operation, name: string, deletion: Deletion): Promise<void> {
  const storage = core.registry.storageOfResource(pods)!
  let wanted = deletion.resourceVersion
  if (!write.dryRun) {
    const changed = await storage.change(storage.keyOf(write.namespace, name), (current) => {
      const pod = current?.object as Frozen<Pod> | undefined
      if (!pod || outsideOfDeletion(pod, deletion)) return { action: 'keep' }
      const condition: PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
        lastTransitionTime: timeText(core.clock.now()),
      }
      const conditions = [
        ...(pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget'),
        condition,
      ]
      return {
        action: 'write',
        draft: normalise(storage.kind.schema, { ...pod, status: { ...pod.status, conditions } }) as unknown as Draft,
      }
    })
    // The condition made a new version of what the client asked for.
    if (wanted !== undefined && changed?.action === 'write') wanted = String(changed.revision)
  }
  await deleteObject(core, write, name, { ...deletion, resourceVersion: wanted })
}

/** The deletion will be refused, or is nothing new: no condition then. */
function outsideOfDeletion({ metadata, status }: Frozen<Pod>, { uid, resourceVersion }: Deletion): boolean {
  if (metadata?.deletionTimestamp || status?.phase === 'Succeeded' || status?.phase === 'Failed') return true
  return (
    (uid !== undefined && uid !== metadata?.uid) ||
    (resourceVersion !== undefined && resourceVersion !== metadata?.resourceVersion)
  )
}
