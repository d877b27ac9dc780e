import { Client, credentials, Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js'
import type { Deps } from '../../base/deps.ts'
import { RuntimeError } from '../runtime.ts'
import { decode, encode, type Init } from './codec.ts'
import { methods, type CriMethods } from './generated/cri.ts'

/** How one call is made. */
export interface CallOptions {
  /** After how long the call fails with DeadlineExceeded. */
  readonly timeoutMs: number
}

/** A connection to a CRI socket: any of its calls, by name. */
export interface CriConnection {
  call<Name extends keyof CriMethods>(name: Name, request: Init<CriMethods[Name]['request']>, options: CallOptions): Promise<CriMethods[Name]['response']>
  stream<Name extends keyof CriMethods>(name: Name, request: Init<CriMethods[Name]['request']>, signal: AbortSignal): AsyncIterable<CriMethods[Name]['response']>
  close(): void
}

/** As upstream's client: a list of thousands of containers must fit. */
const messageBytesMax = 16 * 1024 * 1024

/** `unix:///run/x.sock`, as upstream writes endpoints; a bare path becomes one. */
const endpointOf = (socket: string) => (socket.includes('://') ? socket : `unix://${socket}`)

/** Opens a connection; nothing is sent before the first call, and a runtime that restarts is connected again by itself. */
export function openConnection(socket: string, deps: Pick<Deps, 'clock'>): CriConnection {
  const client = new Client(endpointOf(socket), credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 3000,
  })
  return {
    call: (name, request, options) =>
      new Promise((resolve, reject) => {
        const { path, request: requestType, response: responseType } = methods[name]
        client.makeUnaryRequest(
          path,
          (value: object) => encode(requestType, value),
          (bytes: Buffer) => decode(responseType, bytes),
          request,
          new Metadata(),
          { deadline: deps.clock.now() + options.timeoutMs },
          // What was decoded has the type that the table names for this call.
          (error, answer) => (error ? reject(runtimeError(error)) : resolve(answer as never)),
        )
      }),
    async *stream(name, request, signal) {
      const { path, request: requestType, response: responseType } = methods[name]
      const call = client.makeServerStreamRequest(
        path,
        (value: object) => encode(requestType, value),
        (bytes: Buffer) => decode(responseType, bytes),
        request,
      )
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      if (signal.aborted) cancel()
      try {
        for await (const answer of call) yield answer as never
      } catch (error) {
        if (!signal.aborted) throw runtimeError(error as ServiceError)
      } finally {
        signal.removeEventListener('abort', cancel)
        call.cancel()
      }
    },
    close: () => client.close(),
  }
}

/** DEADLINE_EXCEEDED → DeadlineExceeded: as Go prints codes, so that our messages read as upstream's. */
function codeName(code: number): string {
  const name = grpcStatus[code] ?? 'UNKNOWN'
  return name.toLowerCase().replace(/(^|_)([a-z])/g, (_, _bar, letter: string) => letter.toUpperCase())
}

/** `rpc error: code = NotFound desc = …` is how upstream shows a runtime's failure in events and messages. */
function runtimeError(error: ServiceError): RuntimeError {
  const code = codeName(error.code)
  return new RuntimeError(code, `rpc error: code = ${code} desc = ${error.details}`, { cause: error })
}
