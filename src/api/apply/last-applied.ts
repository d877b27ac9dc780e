import type { Frozen, KubernetesObject } from '../resource.ts'
import type { StructSchema } from '../schema/schema.ts'
import type { FieldSet } from './field-set.ts'
import { difference, noFields } from './field-set.ts'
import { fieldSetOf } from './field-set-of.ts'
import { gainedFields } from './gained.ts'
import { shapeOf } from './shape.ts'

/** Where `kubectl apply` without `--server-side` keeps what it applied. */
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** All annotations of an object together, as upstream limits them. */
const annotationsBytesMax = 256 * 1024

/**
 * The fields that a client-side apply left as they are now: kubectl takes them over when it goes on with server-side apply. Undefined when there was none, or one of
 * another version.
 */
export function takenOverFields(
  schema: StructSchema,
  apiVersion: string,
  live: Frozen<KubernetesObject>,
): FieldSet | undefined {
  const text = live.metadata?.annotations?.[lastAppliedAnnotation]
  if (!text) return undefined
  const applied = parsed(text)
  if (applied?.apiVersion !== apiVersion) return undefined
  const shape = shapeOf(schema)
  const fields = difference(fieldSetOf(shape, applied), gainedFields(shape, applied, live, true))
  return difference(fields, gainedFields(shape, live, applied, false)) ?? noFields
}

function parsed(text: string): KubernetesObject | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as KubernetesObject) : undefined
  } catch {
    return undefined // somebody wrote something else into it: then there is nothing to take over
  }
}

/** The object with the annotation brought up to what was applied, where it has one; without it when it grew too long. */
export function withLastApplied(
  object: Frozen<KubernetesObject>,
  applied: Frozen<KubernetesObject>,
): Frozen<KubernetesObject> {
  const annotations = object.metadata?.annotations
  if (!annotations?.[lastAppliedAnnotation]) return object
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  const text = lastAppliedText(applied)
  const bytes = Object.entries({ ...others, [lastAppliedAnnotation]: text }).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: bytes > annotationsBytesMax ? others : { ...others, [lastAppliedAnnotation]: text },
    },
  }
}

/** What was applied as Go writes it: sorted keys, one line with its end. */
function lastAppliedText(applied: Frozen<KubernetesObject>): string {
  const { [lastAppliedAnnotation]: _, ...annotations } = applied.metadata?.annotations ?? {}
  const metadata = { ...applied.metadata, ...(applied.metadata?.annotations && { annotations }) }
  return `${JSON.stringify(sorted({ ...applied, metadata }))}\n`
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  )
}
