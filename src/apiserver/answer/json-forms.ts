import { formatYaml } from '../../api/codec/yaml.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import type { CacheEvent } from '../cache/cache.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import type { Formed } from './forms.ts'
import { contentTypes, type Format } from './negotiate.ts'

/** A value as JSON or YAML text. */
export function formText(value: unknown, { encoding, pretty }: Format): Formed {
  const text =
    encoding === 'yaml' ? formatYaml(value) : pretty ? JSON.stringify(value, undefined, 2) : JSON.stringify(value)
  return { bytes: Buffer.from(text), contentType: contentTypes[encoding === 'yaml' ? 'yaml' : 'json'] }
}

/** The metadata of a list. */
export const listMeta = ({ resourceVersion, continue: token, remaining }: ListAnswer) => ({
  resourceVersion,
  ...(token && { continue: token }),
  ...(remaining !== undefined && { remainingItemCount: remaining }),
})

/** A list as an object. Items of built-in kinds have no apiVersion and kind of their own. */
export function listObject(answer: ListAnswer): object {
  const { kind, entries } = answer
  const items = entries.map(({ object }) => (kind.custom ? served(kind, object) : withoutKind(served(kind, object))))
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind.resource), metadata: listMeta(answer), items }
}

/** An item of a list of a built-in kind: without apiVersion and kind of its own. */
export function withoutKind({ kind: _kind, apiVersion: _apiVersion, ...rest }: Frozen<KubernetesObject>): object {
  return rest
}

/** A bookmark's object: its kind, and the resource version that the watch stands at. */
export function bookmarkObject(kind: Kind, { revision, initialEventsEnd }: CacheEvent): object {
  const metadata = {
    resourceVersion: String(revision),
    ...(initialEventsEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
  }
  return { kind: kind.resource.kind, apiVersion: apiVersionOf(kind.resource), metadata }
}

const heads = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
}
const tail = Buffer.from('}\n')

/** A line of a JSON watch, in pieces. */
export const eventPieces = (type: keyof typeof heads, object: Uint8Array): readonly Uint8Array[] => [
  heads[type],
  object,
  tail,
]

/** A line of a JSON watch. */
export function eventLine(type: keyof typeof heads, object: Uint8Array): Uint8Array {
  const head = heads[type]
  const out = Buffer.allocUnsafe(head.length + object.length + tail.length)
  out.set(head, 0)
  out.set(object, head.length)
  out.set(tail, head.length + object.length)
  return out
}
