import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import protobuf from 'protobufjs/minimal.js'

/** Whose health is asked for. */
export interface HealthQuestion {
  readonly host: string
  readonly port: number
  readonly service: string
  readonly timeoutMs: number
}

const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

/** Asks grpc.health.v1.Health/Check. Rejects when there is no answer. */
export function grpcHealth({ host, port, service, timeoutMs }: HealthQuestion): Promise<(typeof statuses)[number]> {
  const client = new Client(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 })
  return new Promise<(typeof statuses)[number]>((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (name: string) => Buffer.from(name ? protobuf.Writer.create().uint32(10).string(name).finish() : []),
      decodeStatus,
      service,
      new Metadata(),
      // The deadline is the real network's, whatever clock the kubelet runs on.
      { deadline: new Date(new Date().getTime() + timeoutMs) },
      (error, answer) => {
        if (!error) return resolve(answer ?? 'UNKNOWN')
        if (error.code === status.NOT_FOUND) return resolve('SERVICE_UNKNOWN')
        if (error.code === status.UNIMPLEMENTED) return reject(new Error(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`))
        if (error.code === status.DEADLINE_EXCEEDED || error.code === status.UNAVAILABLE) return reject(new Error(`timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s: ${error.details}`))
        reject(new Error(`error: health rpc probe failed: ${error.message}`))
      },
    )
  }).finally(() => client.close())
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
