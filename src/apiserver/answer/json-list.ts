import { createGzip } from 'node:zlib'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { listChunks } from '../cache/list-chunks.ts'
import type { BodyWriter } from '../http/exchange.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import { listObject, withoutKind } from './json-forms.ts'

/** A list as JSON, in pieces of about 256 KiB, made of the bytes that the cache has of its items. Items of built-in kinds have no apiVersion and kind of their own. */
export function jsonListChunks({ kind, entries, resourceVersion, continue: token, remaining }: ListAnswer): Generator<Buffer, void, undefined> {
  const apiVersion = JSON.stringify(apiVersionOf(kind.resource))
  const metadata = JSON.stringify({ resourceVersion, ...(token && { continue: token }), ...(remaining !== undefined && { remainingItemCount: remaining }) })
  return listChunks({
    head: `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":${apiVersion},"metadata":${metadata},"items":[`,
    items: bytesOf(entries),
    tail: ']}',
    itemHead: kind.custom ? '' : itemHeadOf(kind),
  })
}

/** The same for what has no bytes at hand: indented for people, or stored in another version. Items are made one by one, as the client takes them. */
export function madeListChunks(answer: ListAnswer, pretty: boolean): Generator<Buffer, void, undefined> {
  const frame = JSON.stringify(listObject({ ...answer, entries: [] }), undefined, pretty ? 2 : 0)
  const at = frame.lastIndexOf('[]')
  const [head, tail] = [frame.slice(0, at), frame.slice(at + 2)]
  const empty = answer.entries.length === 0
  const indent = pretty && !empty
  return listChunks({
    head: indent ? `${head}[\n    ` : `${head}[`,
    items: madeItems(answer, pretty),
    tail: `${indent ? '\n  ]' : ']'}${tail}${pretty ? '\n' : ''}`,
    separator: pretty ? ',\n    ' : ',',
  })
}

function* madeItems({ kind, entries }: ListAnswer, pretty: boolean): Iterable<Uint8Array> {
  for (const { object } of entries) {
    const item = kind.custom ? object : withoutKind(served(kind, object))
    yield Buffer.from(pretty ? JSON.stringify(item, undefined, 2).replaceAll('\n', '\n    ') : JSON.stringify(item))
  }
}

/** What the JSON of a kind's objects begins with. */
const itemHeadOf = (kind: Kind): string => `"kind":${JSON.stringify(kind.resource.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind.resource))},`

function* bytesOf(entries: ListAnswer['entries']): Iterable<Uint8Array> {
  for (const { bytes } of entries) yield bytes
}

/** Writes pieces as fast as the client takes them: `ready` first, then the rest, each made when there is room for it. */
export async function writeChunks(writer: BodyWriter, ready: readonly Buffer[], rest: Iterator<Buffer, void>, gzip: boolean): Promise<void> {
  const all = chained(ready, rest)
  if (!gzip) {
    for (const chunk of all) {
      if (writer.closed) return
      if (!writer.write(chunk)) await writer.drained()
    }
    return writer.end()
  }
  // Compression runs on threads of its own.
  const packer = createGzip({ level: 1, chunkSize: 64 * 1024 })
  const packed = (async () => {
    for await (const chunk of packer) if (!writer.write(chunk as Buffer)) await writer.drained()
  })()
  for (const chunk of all) {
    if (writer.closed) break
    if (!packer.write(chunk)) await new Promise((resolve) => packer.once('drain', resolve))
  }
  packer.end()
  await packed
  writer.end()
}

function* chained(ready: readonly Buffer[], rest: Iterator<Buffer, void>): Iterable<Buffer> {
  yield* ready
  for (;;) {
    const next = rest.next()
    if (next.done) return
    yield next.value
  }
}
