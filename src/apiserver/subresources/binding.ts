import { badRequest, conflict, invalid, notFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Binding, Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import { definition } from '../../api/schema/builtin.ts'
import { normalise } from '../../api/schema/decode.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeAs } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { attributesOf } from '../verbs/write.ts'
import { writeOf } from '../verbs/create.ts'

/** POST of a pod's binding, or of a Binding that names it: assigns the pod to a node. */
export async function bindPod(core: Core, request: ResourceRequest): Promise<Answer> {
  const options = writeOptions(request.query, 'CreateOptions')
  const binding = await decodeAs<Binding>(
    request,
    { schema: definition('api.core.v1.Binding'), group: '', version: 'v1', kind: 'Binding' },
    options.fieldValidation,
  )
  const { namespace } = request.info
  const metadata = (binding.metadata ??= {})
  const name = request.info.subresource === '' ? (metadata.name ?? '') : request.info.name
  if (request.info.subresource !== '' && (metadata.name ?? '') !== name)
    throw badRequest(`name in URL does not match name in Binding object`)
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  checkBinding(binding, name)
  const write = writeOf(request, options, 'CreateOptions')
  const attributes = attributesOf(write, 'CREATE', binding as Draft, undefined)
  await core.admission.admit(attributes)
  await core.admission.validate(attributes)
  const storage = core.registry.storageOfResource(pods)!
  await storage.change(storage.keyOf(namespace, name), (current) => {
    if (!current) throw notFound(pods, name)
    const pod = bound(current.object as Pod, binding, core.clock.now())
    if (options.dryRun) return { action: 'keep' }
    return { action: 'write', draft: normalise(storage.kind.schema, pod) as unknown as Draft }
  })
  return valueAnswer({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as object, 201)
}

function checkBinding({ target }: Binding, name: string): void {
  const errors = new FieldErrors()
  if (target?.kind && target.kind !== 'Node')
    errors.notSupported(field('target', 'kind'), target.kind, ['Node', '<empty>'])
  if (!target?.name) errors.required(field('target', 'name'))
  if (!errors.empty) throw invalid('', 'Binding', name, errors)
}

function bound(pod: Pod, binding: Binding, nowMs: number): Pod {
  const { name = '', uid, resourceVersion } = pod.metadata ?? {}
  const at = { group: '', plural: 'pods/binding' }
  const wanted = binding.metadata ?? {}
  if (wanted.uid && wanted.uid !== uid)
    throw conflict(pods, name, `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`)
  if (wanted.resourceVersion && wanted.resourceVersion !== resourceVersion)
    throw conflict(
      pods,
      name,
      `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    )
  if (pod.metadata?.deletionTimestamp)
    throw conflict(at, name, `pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec?.nodeName)
    throw conflict(at, name, `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  if (pod.spec?.schedulingGates?.length) throw conflict(at, name, `pod ${name} has non-empty .spec.schedulingGates`)
  const annotations = { ...pod.metadata?.annotations, ...wanted.annotations }
  const labels = { ...pod.metadata?.labels, ...wanted.labels }
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime: timeText(nowMs) }
  const conditions = [...(pod.status?.conditions ?? [])]
  const index = conditions.findIndex(({ type }) => type === 'PodScheduled')
  if (index < 0) conditions.push(scheduled)
  else if (conditions[index]!.status !== 'True') conditions[index] = scheduled
  const { nominatedNodeName: _hint, ...status } = pod.status ?? {}
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    spec: { ...pod.spec!, nodeName: binding.target.name! },
    status: { ...status, conditions },
  }
}
