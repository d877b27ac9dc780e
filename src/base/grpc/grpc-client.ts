import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import type { Clock } from '../clock.ts'
import { GrpcError, type GrpcCode } from './grpc-error.ts'

/** Where a server listens. */
export type GrpcTarget = { readonly path: string } | { readonly host: string; readonly port: number }

/** How a server is reached. */
export interface GrpcOptions {
  readonly target: GrpcTarget
  /** For deadlines. */
  readonly clock: Pick<Clock, 'after'>
  /** The longest message that is taken. */
  readonly messageBytesMax: number
}

/** One call, by its path: `/package.Service/Method`. Failures are `GrpcError`s. */
export interface GrpcClient {
  unary(path: string, message: Uint8Array, timeoutMs: number): Promise<Buffer>
  /** Ends with the server's end, or quietly when the signal is aborted. */
  serverStream(path: string, message: Uint8Array, signal: AbortSignal): AsyncIterable<Buffer>
  /** Calls that wait for an answer fail. */
  close(): void
}

const reconnectFirstMs = 100
const reconnectMaxMs = 3000

/**
 * A client without TLS whose messages are bytes: what is in them is the caller's. Nothing is sent before the first call, and a connection that broke is made anew.
 */
export function newGrpcClient({ target, clock, messageBytesMax }: GrpcOptions): GrpcClient {
  const client = new Client(addressOf(target), credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': reconnectFirstMs,
    'grpc.max_reconnect_backoff_ms': reconnectMaxMs,
    'grpc.enable_retries': 0,
  })
  const calls = new Set<{ cancel(): void }>()
  return {
    unary: (path, message, timeoutMs) =>
      new Promise((resolve, reject) => {
        let late = false
        const metadata = new Metadata()
        metadata.set('grpc-timeout', `${Math.ceil(timeoutMs)}m`)
        const call = client.makeUnaryRequest(path, sent, received, message, metadata, (error, answer) => {
          calls.delete(call)
          cancelTimer()
          if (late) reject(new GrpcError('DeadlineExceeded', 'context deadline exceeded'))
          else if (error) reject(grpcError(error))
          else resolve(answer!)
        })
        calls.add(call)
        const cancelTimer = clock.after(timeoutMs, () => {
          late = true
          call.cancel()
        })
      }),
    async *serverStream(path, message, signal) {
      const call = client.makeServerStreamRequest(path, sent, received, message)
      calls.add(call)
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
      try {
        for await (const answer of call) yield answer as Buffer
      } catch (error) {
        if (!signal.aborted) throw grpcError(error as ServiceError)
      } finally {
        calls.delete(call)
        signal.removeEventListener('abort', cancel)
        cancel()
      }
    },
    close() {
      for (const call of calls) call.cancel()
      client.close()
    },
  }
}

const sent = (message: Uint8Array): Buffer => Buffer.from(message.buffer, message.byteOffset, message.byteLength)
const received = (message: Buffer): Buffer => message

function addressOf(target: GrpcTarget): string {
  if ('path' in target) return `unix://${target.path}`
  return `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`
}

/** Codes as Go prints them, so that our messages read as upstream's: DEADLINE_EXCEEDED is DeadlineExceeded. */
function grpcError({ code, details }: ServiceError): GrpcError {
  const name = status[code] ?? 'UNKNOWN'
  const words = name === 'CANCELLED' ? 'CANCELED' : name
  return new GrpcError(
    words.toLowerCase().replace(/(^|_)([a-z])/g, (_, _bar, letter: string) => letter.toUpperCase()) as GrpcCode,
    details,
  )
}
