import type { Kind } from '../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../api/resource.ts'
import { deepFreeze } from '../api/schema/values.ts'
import type { Transport, TransportRequest, WatchEvent } from '../client/transport.ts'
import type { Answer, WatchAnswer } from './answer/answer.ts'
import { bookmarkObject } from './answer/json-forms.ts'
import type { User } from './authn/user.ts'
import type { CacheEvent, CacheWatch } from './cache/cache.ts'
import type { Pipeline } from './pipeline.ts'
import type { ApiRequest } from './request/api-request.ts'
import { Query } from './request/query.ts'
import { requestInfoOf } from './request/request-info.ts'
import { served } from './verbs/core.ts'

/** How a transport in the same process reaches the server. */
export interface InProcess {
  readonly pipeline: Pipeline
  readonly freeze: boolean
}

/** Requests of one user that never leave the process: objects pass by reference, nothing is serialized. */
export function inProcessTransport({ pipeline, freeze }: InProcess, user: User, userAgent: string): Transport {
  let closed = false
  const requestOf = (request: TransportRequest, watch: boolean): ApiRequest => {
    if (closed) throw new Error('the transport is closed')
    const { method, path, query, contentType, body } = request
    return {
      method,
      info: requestInfoOf(method, path, watch, nameIn(query)),
      query: Query.of(query),
      user,
      contentType,
      userAgent,
      body: () => Promise.resolve({ value: body }),
      warnings: [],
      exchange: undefined,
    }
  }
  return {
    async send(request, signal) {
      signal?.throwIfAborted()
      const answer = await pipeline.run(requestOf(request, false))
      const value = valueOf(answer)
      return freeze ? deepFreeze(value) : value
    },
    watch: (request, signal) => events(pipeline, requestOf(request, true), signal, freeze),
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}

const nameIn = (query: TransportRequest['query']): string =>
  /^metadata\.name=([^,=!]+)$/.exec(query?.['fieldSelector'] ?? '')?.[1] ?? ''

function valueOf(answer: Answer): unknown {
  switch (answer.type) {
    case 'object':
      return served(answer.kind, answer.document.object)
    case 'list': {
      const { kind, entries, resourceVersion, continue: token, remaining } = answer
      const metadata = {
        resourceVersion,
        ...(token && { continue: token }),
        ...(remaining !== undefined && { remainingItemCount: remaining }),
      }
      return {
        kind: kind.listKind,
        apiVersion: apiVersionOf(kind.resource),
        metadata,
        items: entries.map(({ object }) => served(kind, object)),
      }
    }
    case 'value':
      return answer.value
    case 'raw':
      return parsedRaw(answer.body)
    default:
      throw new Error(`a ${answer.type} answer cannot be given in one process`)
  }
}

function parsedRaw(body: string | Uint8Array): unknown {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function* events(
  pipeline: Pipeline,
  request: ApiRequest,
  signal: AbortSignal,
  freeze: boolean,
): AsyncIterable<WatchEvent> {
  if (signal.aborted) return
  const answer = await pipeline.run(request)
  if (answer.type !== 'watch') throw new Error('the request is no watch')
  const waiting: CacheEvent[] = []
  let ended = false
  let wake = (): void => {}
  const end = () => {
    ended = true
    wake()
  }
  const watch: CacheWatch = await start(answer, waiting, () => wake(), end)
  const cancel = answer.timeoutMs > 0 ? pipeline.clock.after(answer.timeoutMs, end) : () => {}
  signal.addEventListener('abort', end, { once: true })
  try {
    for (;;) {
      for (const event of waiting.splice(0)) {
        const out = eventOf(answer.kind, event)
        yield freeze ? deepFreeze(out) : out
        if (signal.aborted) return
      }
      if (ended) return
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    cancel()
    signal.removeEventListener('abort', end)
    watch.close()
  }
}

function start(
  { cache, options }: WatchAnswer,
  waiting: CacheEvent[],
  wake: () => void,
  end: () => void,
): Promise<CacheWatch> {
  return cache.watch(options, {
    deliver(batch) {
      waiting.push(...batch.events)
      wake()
      return true
    },
    end,
  })
}

function eventOf(kind: Kind, event: CacheEvent): WatchEvent {
  const object =
    event.object && event.type !== 'BOOKMARK'
      ? served(kind, event.object.object)
      : (bookmarkObject(kind, event) as Frozen<KubernetesObject>)
  return { type: event.type, object }
}
