import { createGzip } from 'node:zlib'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { type Chunk, ListChunks } from '../cache/list-chunks.ts'
import type { BodyWriter } from '../http/exchange.ts'
import type { ListAnswer } from './answer.ts'

/** A list as JSON, in pieces of about 256 KiB, made of the bytes that the cache has of its items. Items of built-in kinds have no apiVersion and kind of their own. */
export function jsonListChunks({ kind, entries, resourceVersion, continue: token, remaining }: ListAnswer): ListChunks {
  const apiVersion = JSON.stringify(apiVersionOf(kind.resource))
  const metadata = JSON.stringify({
    resourceVersion,
    ...(token && { continue: token }),
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  })
  return new ListChunks({
    head: `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":${apiVersion},"metadata":${metadata},"items":[`,
    items: bytesOf(entries),
    tail: ']}\n',
    itemHead: kind.custom ? '' : itemHeadOf(kind),
  })
}

/** What the JSON of a kind's objects begins with. */
const itemHeadOf = (kind: Kind): string =>
  `"kind":${JSON.stringify(kind.resource.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind.resource))},`

function* bytesOf(entries: ListAnswer['entries']): Iterable<Uint8Array> {
  for (const { bytes } of entries) yield bytes
}

/** How a list's pieces are sent. */
export interface ChunksToWrite {
  readonly ready: readonly Chunk[]
  /** After those that are ready; each is made when there is room for it. */
  readonly rest: ListChunks
  readonly gzip: boolean
  /** `BodyWriter.writeFramed` works. */
  readonly framed: boolean
  /** Waited for before each of the rest. */
  readonly between?: (() => Promise<void>) | undefined
}

/** Writes pieces as fast as the client takes them. */
export async function writeChunks(writer: BodyWriter, chunks: ChunksToWrite): Promise<void> {
  if (chunks.gzip) await writePacked(writer, chunks)
  else {
    for (const chunk of chained(chunks)) {
      if (writer.closed) return
      const roomy = chunks.framed ? writer.writeFramed!(chunk.framed) : writer.write(chunk.content)
      if (!roomy) await writer.drained()
      if (chunks.between) await chunks.between()
    }
  }
  writer.end()
}

/** Compression runs on threads of its own. */
async function writePacked(writer: BodyWriter, chunks: ChunksToWrite): Promise<void> {
  const packer = createGzip({ level: 1, chunkSize: 64 * 1024 })
  const packed = (async () => {
    for await (const chunk of packer) if (!writer.write(chunk as Buffer)) await writer.drained()
  })()
  for (const chunk of chained(chunks)) {
    if (writer.closed) break
    if (!packer.write(chunk.content)) await new Promise((resolve) => packer.once('drain', resolve))
    if (chunks.between) await chunks.between()
  }
  packer.end()
  await packed
}

function* chained({ ready, rest }: ChunksToWrite): Iterable<Chunk> {
  yield* ready
  yield* rest
}
