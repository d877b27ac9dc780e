import { parentManagedFields, scaleManagedFields } from '../../api/apply/scale-managed-fields.ts'
import { badRequest, conflict, invalid, methodNotSupported } from '../../api/errors/api-error.ts'
import type { Scale } from '../../api/generated/types/autoscaling-v1.ts'
import type { LabelSelector } from '../../api/generated/types/meta-v1.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import { matcherOf, matcherOfLabels } from '../../api/selector/label.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import { reviewKind } from '../subresources/review-kind.ts'
import { served, type Core } from './core.ts'
import { writeOf } from './create.ts'
import { get } from './get.ts'
import { readPatch } from './patch.ts'
import { recordFields, updateObject, type Update, type Write } from './write.ts'
import { deepClone } from '../../api/schema/values.ts'

type Parts = Record<string, unknown>

/** Scale as a kind: it is never stored, but it is decoded, patched and applied as the others are. */
export const scaleKind = (): Kind => reviewKind('autoscaling', 'v1', 'Scale', 'api.autoscaling.v1.Scale')

/** GET of the scale subresource. */
export async function getScale(core: Core, request: ResourceRequest): Promise<Answer> {
  const { document } = await get(core, request)
  const scale = scaleOf(request.kind, served(request.kind, document.object))
  if (!scale) throw methodNotSupported(request.kind.resource, 'scale')
  return valueAnswer(shown(scale))
}

/** PUT of it. */
export async function updateScale(core: Core, request: ResourceRequest): Promise<Answer> {
  const options = writeOptions(request.query, 'UpdateOptions')
  const sent = await decodeBody(request, scaleKind(), options.fieldValidation)
  const { name } = request.info
  if ((sent.metadata.name ?? '') !== name)
    throw badRequest(
      `the name of the object (${sent.metadata.name ?? ''}) does not match the name on the URL (${name})`,
    )
  const write = writeOf(request, options, 'UpdateOptions')
  return change(core, request, write, (oldScale) => {
    const draft = deepClone(sent)
    recordFields(core, { ...write, kind: scaleKind() }, draft, oldScale)
    return draft
  })
}

/** PATCH of it, of any type. */
export async function patchScale(core: Core, request: ResourceRequest): Promise<Answer> {
  const { write, change: patched } = await readPatch(core, request, scaleKind())
  return change(core, request, write, patched)
}

async function change(
  core: Core,
  request: ResourceRequest,
  write: Write,
  newScale: (old: Frozen<KubernetesObject>) => Draft,
): Promise<Answer> {
  const { kind, info } = request
  const update: Update = {
    ...write,
    name: info.name,
    createIfMissing: false,
    unconditional: true,
    produce(old) {
      const oldScale = scaleOf(kind, old!)
      if (!oldScale) throw methodNotSupported(kind.resource, 'scale')
      return scaled(kind, old!, checked(kind, old!, newScale(oldScale as Frozen<KubernetesObject>)))
    },
  }
  const { document } = await updateObject(core, update)
  return valueAnswer(shown(scaleOf(kind, served(kind, document.object))!))
}

/** Who owns the replicas is told by the object, not by its scale. */
function shown({ metadata, ...scale }: Frozen<Scale>): Frozen<Scale> {
  const { managedFields: _, ...rest } = metadata ?? {}
  return { ...scale, metadata: rest }
}

function checked(kind: Kind, old: Frozen<KubernetesObject>, draft: Draft): Scale & Draft {
  const scale = draft as Scale & Draft
  const replicas = scale.spec?.replicas ?? 0
  const name = old.metadata?.name ?? ''
  if (replicas < 0) {
    const errors = new FieldErrors()
    errors.invalid(field('spec', 'replicas'), replicas, 'must be greater than or equal to 0')
    throw invalid('autoscaling', 'Scale', name, errors)
  }
  const { uid } = scale.metadata
  if (uid && uid !== old.metadata?.uid)
    throw conflict(
      { ...kind.resource, plural: `${kind.resource.plural}/scale` },
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata?.uid}`,
    )
  return scale
}

/** The object with the replicas of its new scale, and with their owners. */
function scaled(kind: Kind, old: Frozen<KubernetesObject>, scale: Scale & Draft): Draft {
  const draft = deepClone(old) as Draft
  const path = kind.behaviour.scale!.replicas
  setAt(draft as unknown as Parts, path.split('.'), scale.spec?.replicas ?? 0)
  if (scale.metadata.resourceVersion) draft.metadata.resourceVersion = scale.metadata.resourceVersion
  else delete draft.metadata.resourceVersion
  const managedFields = parentManagedFields(old.metadata?.managedFields, scale.metadata.managedFields, {
    apiVersion: apiVersionOf(kind.resource),
    replicasPath: path,
  })
  if (managedFields) draft.metadata.managedFields = managedFields
  return draft
}

/** The Scale of an object; undefined when its kind has none. */
export function scaleOf(kind: Kind, object: Frozen<KubernetesObject>): Frozen<Scale> | undefined {
  const paths = kind.behaviour.scale
  if (!paths) return undefined
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = object.metadata ?? {}
  const replicas = at(object, paths.replicas)
  const statusReplicas = at(object, paths.statusReplicas)
  const owners = scaleManagedFields(managedFields, paths.replicas)
  return normalise(scaleKind().schema, {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp, ...(owners && { managedFields: owners }) },
    spec: { replicas: typeof replicas === 'number' ? replicas : 0 },
    status: {
      replicas: typeof statusReplicas === 'number' ? statusReplicas : 0,
      selector: selectorText(at(object, paths.selector)),
    },
  }) as unknown as Frozen<Scale>
}

/** A selector as text: a label selector, a map of labels, or text already. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  if (typeof selector !== 'object' || selector === null) return ''
  const labels = Object.values(selector).every((value) => typeof value === 'string')
  return (
    labels ? matcherOfLabels(selector as Record<string, string>) : matcherOf(selector as LabelSelector)
  ).toString()
}

const at = (object: object, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? (value as Parts)[name] : undefined),
      object,
    )

function setAt(object: Parts, [name, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) object[name!] = value
  else setAt((object[name!] ??= {}) as Parts, rest, value)
}
