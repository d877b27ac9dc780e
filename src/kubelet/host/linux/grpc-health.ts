import protobuf from 'protobufjs/minimal.js'
import { realClock } from '../../../base/clock.ts'
import { newGrpcClient } from '../../../base/grpc/grpc-client.ts'
import { GrpcError } from '../../../base/grpc/grpc-error.ts'

/** Whose health is asked for. */
export interface HealthQuestion {
  readonly host: string
  readonly port: number
  readonly service: string
  readonly timeoutMs: number
}

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

/** An answer is a number. */
const messageBytesMax = 64 * 1024

/** Asks grpc.health.v1.Health/Check. Rejects when there is no answer. */
export async function grpcHealth({
  host,
  port,
  service,
  timeoutMs,
}: HealthQuestion): Promise<(typeof statuses)[number]> {
  // The deadline is the real network's, whatever clock the kubelet runs on.
  const client = newGrpcClient({ target: { host, port }, clock: realClock, messageBytesMax })
  try {
    const question = service ? protobuf.Writer.create().uint32(10).string(service).finish() : new Uint8Array()
    return decodeStatus(await client.unary('/grpc.health.v1.Health/Check', question, timeoutMs))
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error
    const { code, details } = error
    if (code === 'NotFound') return 'SERVICE_UNKNOWN'
    if (code === 'Unimplemented')
      throw new Error(
        `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`,
        { cause: error },
      )
    if (code === 'DeadlineExceeded' || code === 'Unavailable')
      throw new Error(`timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s: ${details}`, {
        cause: error,
      })
    throw new Error(`error: health rpc probe failed: ${error.message}`, { cause: error })
  } finally {
    client.close()
  }
}

function decodeStatus(bytes: Buffer): (typeof statuses)[number] {
  const reader = protobuf.Reader.create(bytes)
  let value = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) value = reader.int32()
    else reader.skipType(tag & 7)
  }
  return statuses[value] ?? 'UNKNOWN'
}
