import { kindDefinitions, storageConversions } from './kinds.ts'
import type { Kind, RequestContext } from './kind.ts'
import type { Frozen, KubernetesObject } from './resource.ts'
import { decodeSent } from './schema/decode.ts'
import { newKindTable } from './table.ts'
import { FieldErrors } from './validation/field.ts'
import { validateMetadata, validateMetadataUpdate, validateSubresourceMetadata } from './validation/metadata.ts'

/** All kinds with their behaviour. */
export const kinds = newKindTable(kindDefinitions, storageConversions)

const context: RequestContext = {
  nowMs: Date.UTC(2026, 0, 1),
  uuid: () => '11111111-2222-3333-4444-555555555555',
  user: { name: 'admin', groups: [] },
  subresource: '',
  namespaceLabels: () => undefined,
  warn: () => {},
}

/** The kind that an object says it is. */
export function kindOf({ apiVersion = '', kind = '' }: { apiVersion?: string; kind?: string }): Kind {
  const slash = apiVersion.indexOf('/')
  const found = kinds.byKind(slash < 0 ? '' : apiVersion.slice(0, slash), apiVersion.slice(slash + 1), kind)
  if (!found) throw new RangeError(`no kind ${apiVersion} ${kind}`)
  return found
}

type Draft = KubernetesObject & { metadata: NonNullable<KubernetesObject['metadata']> }

/** An object as the API server takes it: decoded, completed, prepared; what is wrong with it, and what the client is told all the same. */
export function created<T extends KubernetesObject>(object: object): { object: T; errors: string[]; told: string[] } {
  const kind = kindOf(object)
  const { behaviour } = kind
  const draft = decodeSent(kind.schema, object) as unknown as Draft
  draft.metadata ??= {}
  draft.metadata.uid = context.uuid()
  draft.metadata.resourceVersion = '1'
  behaviour.defaults?.(draft)
  const told: string[] = []
  behaviour.prepareCreate?.(draft, { ...context, warn: (text) => told.push(text) })
  const errors = new FieldErrors()
  validateMetadata(draft as Frozen<KubernetesObject>, kind, errors)
  behaviour.validate?.(draft as Frozen<KubernetesObject>, errors, context)
  behaviour.canonicalize?.(draft)
  return { object: draft as T, errors: texts(errors), told }
}

/** What is wrong with a change of an object or of one of its subresources. */
export function changed(
  before: KubernetesObject,
  change: (object: never) => void,
  subresource = '',
): { object: KubernetesObject; errors: string[] } {
  const kind = kindOf(before)
  const { behaviour } = kind
  const draft = structuredClone(before) as Draft
  change(draft as never)
  const old = before as Frozen<KubernetesObject>
  const own = { ...context, subresource }
  behaviour.defaults?.(draft)
  behaviour.prepareUpdate?.(draft, old, own)
  const errors = new FieldErrors()
  const validateMetadataChange = subresource === '' ? validateMetadataUpdate : validateSubresourceMetadata
  validateMetadataChange(draft as Frozen<KubernetesObject>, old, kind, errors)
  behaviour.validateUpdate?.(draft as Frozen<KubernetesObject>, old, errors, own)
  return { object: draft, errors: texts(errors) }
}

const texts = ({ list }: FieldErrors): string[] => list.map(({ field, message }) => `${field}: ${message}`)
