import { ApiError } from '../../api/errors/api-error.ts'
import type { Kind } from '../../api/kind.ts'
import type { CacheEvent, CacheWatch, EventBatch, EventEncoding } from '../cache/cache.ts'
import type { BodyWriter } from '../http/exchange.ts'
import { framedChunk } from '../http/http1.ts'
import type { WatchAnswer } from './answer.ts'
import { EventSocket, webSocketExchange } from './event-socket.ts'
import type { FormOptions, Forms } from './forms.ts'
import { eventPieces } from './json-forms.ts'
import type { Writing } from './write-answer.ts'

/** A client may have this much waiting before its watch is told to pause. */
const pendingBytesMax = 1024 * 1024

/** Serves a watch until its time is over, the client goes, or it does not keep up. Resolves when it has ended. */
export async function startWatch(writing: Writing, answer: WatchAnswer): Promise<void> {
  const { exchange, request, format, headers, forms } = writing
  const options: FormOptions = { format, query: request.query, nowMs: writing.nowMs }
  const encoding =
    format.as === 'Table'
      ? tableEncoding(writing, answer.kind, options)
      : encodingOf(forms, answer.kind, options, exchange.chunked)
  let writer: BodyWriter | undefined
  let watch: CacheWatch | undefined
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const resume = () => watch?.resume()
  const socket = webSocketExchange(exchange)
  const start = (): BodyWriter =>
    socket
      ? new EventSocket(socket, format.encoding !== 'protobuf')
      : exchange.stream(200, headers.of(request.warnings, forms.watchType(format)))
  const open = (): BodyWriter => (writer ??= start())
  const sink = {
    deliver(batch: EventBatch): boolean {
      const body = open()
      const roomy = encoding.frame && body.writeFramed ? body.writeFramed(batch.bytes) : body.write(batch.bytes)
      if (roomy || body.pendingBytes < pendingBytesMax) return true
      void body.drained().then(resume)
      return false
    },
    end: () => finish(),
  }
  exchange.onClose(() => finish())
  try {
    watch = await answer.cache.watch({ ...answer.options, encoding }, sink)
  } catch (error) {
    // A resource version that is gone is told inside of the stream, which is where clients look for it.
    if (!(error instanceof ApiError) || error.code !== 410) throw error
    open().write(forms.watchError(error.status, options))
    open().end()
    return
  }
  open()
  const cancel = writing.clock.after(answer.timeoutMs, () => {
    if (answer.options.bookmarks) watch.bookmark()
    // What is in flight leaves first.
    void writing.clock.yield().then(finish)
  })
  await finished
  cancel()
  watch.close()
  open().end()
}

/** Rows tell ages, and only the first has the head above it: each watch of a table has its own. */
function tableEncoding({ forms, clock }: Writing, kind: Kind, options: FormOptions): EventEncoding {
  let noHead = false
  return {
    encode(event: CacheEvent) {
      const bytes = forms.event(kind, event, { ...options, nowMs: clock.now(), noHead })
      noHead = true
      return bytes
    },
  }
}

const encodings = new WeakMap<Kind, Map<string, EventEncoding>>()

/** One encoding for each kind and form, since watches that have the same share their bytes. */
function encodingOf(forms: Forms, kind: Kind, options: FormOptions, framed: boolean): EventEncoding {
  const { format } = options
  let byForm = encodings.get(kind)
  if (!byForm) encodings.set(kind, (byForm = new Map()))
  const key = `${framed} ${format.encoding} ${format.as} ${format.asVersion}`
  let encoding = byForm.get(key)
  if (!encoding) {
    const ready = format.encoding === 'json' && format.as === '' && !kind.storedAs
    const pieces = ({ type, object }: CacheEvent) => (object ? eventPieces(type, object.bytes) : undefined)
    byForm.set(
      key,
      (encoding = {
        encode: (event: CacheEvent) => forms.event(kind, event, options),
        ...(ready && { pieces }),
        ...(framed && { frame: framedChunk }),
      }),
    )
  }
  return encoding
}
