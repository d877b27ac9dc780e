import protobuf from 'protobufjs/minimal.js'
import type { RuntimeEvent } from '../runtime.ts'

// containerd before 2.0 has no GetContainerEvents; its own event service, on the same socket, has always told when a task is gone.

/** containerd's method for following events. */
export const subscribePath = '/containerd.services.events.v1.Events/Subscribe'

/** Of Kubernetes' containers only, and only ends: exec sessions and probes have tasks too, but no deletions. */
const filter = 'namespace==k8s.io,topic=="/tasks/delete"'

/** The request: SubscribeRequest { repeated string filters = 1 }. */
export const subscribeRequest = (): Uint8Array => protobuf.Writer.create().uint32(10).string(filter).finish()

/** The event of an Envelope { …, google.protobuf.Any event = 4 }, which is a TaskDelete { string container_id = 1, … }; undefined: none. */
export function taskEnd(envelope: Uint8Array): RuntimeEvent | undefined {
  const any = field(envelope, 4)
  const event = any && field(any, 2)
  const id = event && field(event, 1)
  return id && { id: Buffer.from(id).toString('utf8'), ended: true }
}

/** The last value of a field of bytes, a string or a message. */
function field(message: Uint8Array, wanted: number): Uint8Array | undefined {
  const reader = protobuf.Reader.create(message)
  let found: Uint8Array | undefined
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === ((wanted << 3) | 2)) found = reader.bytes()
    else reader.skipType(tag & 7)
  }
  return found
}
