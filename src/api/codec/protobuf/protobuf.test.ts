import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryObject } from '../../schema/arbitrary.test-support.ts'
import { definition } from '../../schema/builtin.ts'
import { decode } from '../../schema/decode.ts'
import { newKindTable } from '../../table.ts'
import {
  decodeEnvelope,
  encodeProtobuf,
  isProtobuf,
  listItem,
  messageOfItem,
  openEnvelope,
  parseWatchEvent,
  protobufListFrame,
  sealMessage,
  watchFrame,
} from './envelope.ts'
import { decodeMessage, parseMessage, ProtobufError } from './read.ts'
import { encodeMessage } from './write.ts'

const meta = { name: 'a', labels: { b: '1', a: '2' } }

for (const kind of newKindTable([]).all()) {
  const { kind: name, group } = kind.resource
  test(`what is written of ${group || 'core'} ${name} is read back the same`, () => {
    fc.assert(
      fc.property(arbitraryObject(kind.schema, 5), (random) => {
        // Upstream stores definitions as JSON since protobuf loses the difference between an absent and an empty list.
        const object = decode(kind.schema, random)
        const { kind: _, apiVersion: __, ...rest } = decodeMessage(kind.schema, encodeMessage(kind.schema, object))
        const { kind: ___, apiVersion: ____, ...wanted } = object
        assert.deepEqual(withoutEmptyLists(rest), withoutEmptyLists(wanted))
      }),
      { numRuns: 15 },
    )
  })
}

function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(withoutEmptyLists)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutEmptyLists(inner)]))
}

test("the bytes are upstream's", () => {
  const bytes = encodeProtobuf(definition('api.core.v1.PodPortForwardOptions'), {
    kind: 'PodPortForwardOptions',
    apiVersion: 'v1',
    ports: [1],
  } as object)
  assert.equal(
    bytes.toString('hex'),
    '6b3873000a1b0a02763112' + '15506f64506f7274466f72776172644f7074696f6e73' + '120208011a002200',
  )
})

test('what is no pointer is written when zero, what is a pointer only when set', () => {
  const schema = definition('api.core.v1.ContainerPort')
  assert.equal(
    Buffer.from(encodeMessage(schema, { containerPort: 80 })).toString('hex'),
    '0a00' + '1000' + '1850' + '2200' + '2a00',
  )
  const probe = definition('api.core.v1.Probe')
  assert.equal(
    parseMessage(probe, encodeMessage(probe, { terminationGracePeriodSeconds: 0 }))['terminationGracePeriodSeconds'],
    0,
  )
  assert.ok(!('terminationGracePeriodSeconds' in parseMessage(probe, encodeMessage(probe, {}))))
})

test('times, quantities, ports and raw objects keep their JSON forms', () => {
  const lease = {
    spec: { renewTime: '2026-01-02T03:04:05.678901Z', leaseDurationSeconds: 40 },
    metadata: { ...meta, creationTimestamp: '2026-01-02T03:04:05Z' },
  }
  const schema = definition('api.coordination.v1.Lease')
  assert.deepEqual(decodeMessage(schema, encodeMessage(schema, lease)), decode(schema, lease))
  const revision = definition('api.apps.v1.ControllerRevision')
  assert.deepEqual(
    decodeMessage(revision, encodeMessage(revision, { revision: 3, data: { a: [1, { b: null }] } })),
    decode(revision, { data: { a: [1, { b: null }] }, revision: 3 }),
  )
})

test('an object travels in an envelope that says what it is', () => {
  const schema = definition('api.core.v1.ConfigMap')
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { k: 'v' } }
  const bytes = encodeProtobuf(schema, object)
  assert.ok(isProtobuf(bytes))
  assert.deepEqual(decodeEnvelope(schema, openEnvelope(bytes)), decode(schema, object))
})

test("a list is made of its items' messages", () => {
  const item = definition('api.core.v1.ConfigMap')
  const items = ['a', 'b'.repeat(200)].map((name) => ({ metadata: { name } }))
  const messages = items.map((object) => encodeMessage(item, object))
  const encoded = messages.map(listItem)
  const size = encoded.reduce((sum, { length }) => sum + length, 0)
  const { head, tail } = protobufListFrame(
    { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: '7' } },
    size,
  )
  const bytes = Buffer.concat([head, ...encoded, tail])
  assert.deepEqual(encoded.map(messageOfItem), messages.map(Buffer.from))
  const list = decodeEnvelope(definition('api.core.v1.ConfigMapList'), openEnvelope(bytes))
  assert.deepEqual(list, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items })
})

test('a watch frame has its length, its type and the object', () => {
  const envelope = sealMessage('v1', 'Pod', new Uint8Array([1]))
  const frame = watchFrame('ADDED', envelope)
  assert.equal(frame.readUInt32BE(0), frame.length - 4)
  const event = parseWatchEvent(frame.subarray(4))
  assert.equal(event.type, 'ADDED')
  assert.ok(envelope.equals(event.envelope))
})

test('bytes that are no such message are refused, never a crash', () => {
  const schema = definition('api.core.v1.Pod')
  assert.throws(() => openEnvelope(Buffer.from('{}')), ProtobufError)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const attempt of [
        () => parseMessage(schema, bytes),
        () => openEnvelope(Buffer.concat([Buffer.from('k8s\0'), bytes])),
      ]) {
        try {
          attempt()
        } catch (error) {
          assert.ok(error instanceof ProtobufError, String(error))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('nesting is limited', () => {
  const schema = definition('apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  let bytes: Uint8Array = new Uint8Array()
  // `not` is field 28 of itself.
  for (let i = 0; i < 5000; i++) {
    const length: number[] = []
    for (let left = bytes.length; ; left >>>= 7) {
      length.push(left > 127 ? (left & 127) | 128 : left)
      if (left <= 127) break
    }
    bytes = Buffer.concat([Buffer.from([0xe2, 0x01, ...length]), bytes])
  }
  assert.throws(() => parseMessage(schema, bytes), ProtobufError)
})
