import { listItem, messageOfItem, protobufListFrame } from '../../api/codec/protobuf/envelope.ts'
import { encodeMessage } from '../../api/codec/protobuf/write.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { CachedObject } from '../cache/cache.ts'
import { ListChunks } from '../cache/list-chunks.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import { listMeta } from './json-forms.ts'
import { keptForms } from './kept.ts'

/** How many messages are made in one turn of the event loop: some milliseconds. */
const madePerTurn = 64

const itemOf = (kind: Kind, object: CachedObject): Uint8Array =>
  keptForms.of(object, kind, 0, () => ({ bytes: listItem(encodeMessage(kind.schema, served(kind, object.object))) }))

/** The message of a stored object, kept while it is in use. */
export const storedMessage = (kind: Kind, object: CachedObject): Uint8Array => messageOfItem(itemOf(kind, object))

/** A list as protobuf, in pieces. Its size comes before all else, so that the messages are made first; they are there already when somebody listed the objects before. */
export async function protobufListChunks(answer: ListAnswer, clock: Clock): Promise<ListChunks> {
  const { kind, entries } = answer
  const items: Uint8Array[] = []
  let size = 0
  for (const object of entries) {
    const item = itemOf(kind, object)
    items.push(item)
    size += item.byteLength
    if (items.length % madePerTurn === 0) await clock.yield()
  }
  const { head, tail } = protobufListFrame(
    { apiVersion: apiVersionOf(kind.resource), kind: kind.listKind, metadata: listMeta(answer) },
    size,
  )
  return new ListChunks({ head, items, tail, separator: '' })
}
