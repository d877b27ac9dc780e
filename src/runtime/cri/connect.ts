import type { Deps } from '../../base/deps.ts'
import { newGrpcClient } from '../../base/grpc/grpc-client.ts'
import { GrpcError } from '../../base/grpc/grpc-error.ts'
import { RuntimeError, type RuntimeEvent } from '../runtime.ts'
import { decode, encode, type Init } from './codec.ts'
import { subscribePath, subscribeRequest, taskEnd } from './containerd-events.ts'
import { methods, type CriMethods } from './generated/cri.ts'

/** How one call is made. */
export interface CallOptions {
  /** After how long the call fails with DeadlineExceeded. */
  readonly timeoutMs: number
}

/** A connection to a CRI socket: any of its calls, by name. */
export interface CriConnection {
  call<Name extends keyof CriMethods>(
    name: Name,
    request: Init<CriMethods[Name]['request']>,
    options: CallOptions,
  ): Promise<CriMethods[Name]['response']>
  stream<Name extends keyof CriMethods>(
    name: Name,
    request: Init<CriMethods[Name]['request']>,
    signal: AbortSignal,
  ): AsyncIterable<CriMethods[Name]['response']>
  /** What happens to containers in containerd's own words: see containerd-events.ts. */
  containerdEvents(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  close(): void
}

/** As upstream's client: a list of thousands of containers must fit. */
const messageBytesMax = 16 * 1024 * 1024

/** `unix:///run/x.sock`, as upstream writes endpoints, or a bare path. */
const pathOf = (socket: string) => socket.replace(/^unix:(\/\/)?/, '')

/** Opens a connection; nothing is sent before the first call, and a runtime that restarts is connected again by the next call. */
export function openConnection(socket: string, { clock }: Pick<Deps, 'clock'>): CriConnection {
  const client = newGrpcClient({ target: { path: pathOf(socket) }, clock, messageBytesMax })
  return {
    async call(name, request, { timeoutMs }) {
      const { path, request: requestType, response: responseType } = methods[name]
      const message = encode(requestType, request)
      const answer = await client.unary(path, message, timeoutMs).catch((error: unknown) => {
        throw runtimeError(error)
      })
      // What was decoded has the type that the table names for this call.
      return decode(responseType, answer) as never
    },
    async *stream(name, request, signal) {
      const { path, request: requestType, response: responseType } = methods[name]
      try {
        for await (const answer of client.serverStream(path, encode(requestType, request), signal))
          yield decode(responseType, answer) as never
      } catch (error) {
        throw runtimeError(error)
      }
    },
    async *containerdEvents(signal) {
      try {
        for await (const envelope of client.serverStream(subscribePath, subscribeRequest(), signal)) {
          const event = taskEnd(envelope)
          if (event) yield event
        }
      } catch (error) {
        throw runtimeError(error)
      }
    },
    close: () => client.close(),
  }
}

/** `rpc error: code = NotFound desc = …` is how upstream shows a runtime's failure in events and messages. */
const runtimeError = (error: unknown): unknown =>
  error instanceof GrpcError ? new RuntimeError(error.code, error.message, { cause: error }) : error
