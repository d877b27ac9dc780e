import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { definition } from '../schema/builtin.ts'
import type { StructSchema } from '../schema/schema.ts'
import { deepFreeze } from '../schema/values.ts'
import { applyPatch } from './apply-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const pods = definition('io.k8s.api.core.v1.Pod')
const deployments = definition('io.k8s.api.apps.v1.Deployment')

const patched = (schema: StructSchema, document: unknown, patch: unknown): unknown =>
  applyStrategicMergePatch(schema, deepFreeze(structuredClone(document)), deepFreeze(structuredClone(patch)))

const pod = (spec: object, metadata: object = {}) => ({ metadata, spec })
const containers = (...list: object[]) => pod({ containers: list })
const spec = (result: unknown) => (result as { spec: Record<string, unknown> }).spec

const [main, side] = [
  {
    name: 'main',
    image: 'a:1',
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
    args: ['x', 'y'],
  },
  { name: 'side', image: 'b:1' },
]

test('elements of lists are merged by their key, others stay where they are', () => {
  assert.deepEqual(
    spec(patched(pods, containers(main, side), containers({ name: 'main', image: 'a:2' })))['containers'],
    [{ ...main, image: 'a:2' }, side],
  )
  // As upstream: an element that the live list does not have stands before those that the patch does not name.
  assert.deepEqual(spec(patched(pods, containers(main), containers(side)))['containers'], [side, main])
  assert.deepEqual(
    spec(
      patched(
        pods,
        containers(main, side),
        containers({
          name: 'main',
          env: [
            { name: 'B', value: '3' },
            { name: 'C', value: '4' },
          ],
        }),
      ),
    )['containers'],
    [
      {
        ...main,
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
          { name: 'C', value: '4' },
        ],
      },
      side,
    ],
  )
})

test('lists without a key are replaced, nulls remove', () => {
  assert.deepEqual(
    spec(patched(pods, containers(main), containers({ name: 'main', args: ['z'], env: null })))['containers'],
    [{ name: 'main', image: 'a:1', args: ['z'] }],
  )
})

test('$patch: delete removes an element, $patch: replace the rest of the list or the whole object', () => {
  assert.deepEqual(
    spec(patched(pods, containers(main, side), containers({ name: 'side', $patch: 'delete' })))['containers'],
    [main],
  )
  assert.deepEqual(
    spec(patched(pods, containers(main), containers({ name: 'none', $patch: 'delete' })))['containers'],
    [main],
  )
  assert.deepEqual(
    spec(patched(pods, containers(main, side), containers({ $patch: 'replace' }, { name: 'new', image: 'n' })))[
      'containers'
    ],
    [{ name: 'new', image: 'n' }],
  )
  assert.deepEqual(
    patched(pods, pod({ nodeSelector: { a: '1' } }), pod({ nodeSelector: { $patch: 'replace', b: '2' } })),
    pod({ nodeSelector: { b: '2' } }),
  )
  assert.deepEqual(
    patched(pods, pod({ nodeSelector: { a: '1' } }), pod({ nodeSelector: { $patch: 'delete' } })),
    pod({ nodeSelector: {} }),
  )
})

test('scalars are merged as a set, and $deleteFromPrimitiveList takes some out', () => {
  const start = pod({}, { finalizers: ['x/a', 'x/b'] })
  assert.deepEqual(
    patched(pods, start, { metadata: { finalizers: ['x/c', 'x/a'] } }),
    pod({}, { finalizers: ['x/c', 'x/a', 'x/b'] }),
  )
  assert.deepEqual(
    patched(pods, start, { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/a'] } }),
    pod({}, { finalizers: ['x/b'] }),
  )
  assert.deepEqual(patched(pods, start, { metadata: { '$deleteFromPrimitiveList/finalizers': ['none'] } }), start)
})

test('$setElementOrder puts elements in order, unknown ones staying near their neighbours', () => {
  const start = containers({ name: 'a' }, { name: 'b' }, { name: 'c' })
  const order = {
    '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'd' }],
    containers: [{ name: 'd', image: 'new' }],
  }
  assert.deepEqual(spec(patched(pods, start, pod(order)))['containers'], [
    { name: 'b' },
    { name: 'c' },
    { name: 'a' },
    { name: 'd', image: 'new' },
  ])
})

test('$retainKeys drops what it does not list', () => {
  const start = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
  assert.deepEqual(patched(deployments, start, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }), {
    spec: { strategy: { type: 'Recreate' } },
  })
  assert.throws(
    () => patched(deployments, start, { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } }),
    { code: 400, message: 'invalid patch format of retainKeys' },
  )
  assert.throws(() => patched(deployments, start, { spec: { strategy: { $retainKeys: 'type' } } }), { code: 400 })
})

test('patches that make no sense are refused with upstream’s text', () => {
  const refusals: [object, RegExp][] = [
    [containers({ image: 'x' }), /^map: \{"image":"x"\} does not contain declared merge key: name$/],
    [containers({ name: 'main', $patch: 'merge' }), /^merging lists cannot yet be specified in the patch$/],
    [containers({ name: 'main', $patch: 'what' }), /^unknown patch type: what in map: /],
    [{ metadata: { labels: { $patch: 'what' } } }, /^unknown patch type: what in map: /],
    [pod({ containers: [{ name: 'x' }, 'y'] }), /^list element types are not identical: /],
    [pod({ '$setElementOrder/containers': 'x' }), /^expected a \[\]interface \{\}, but received a string$/],
    [
      pod({ containers: [{ name: 'main' }], '$setElementOrder/containers': [{ name: 'side' }] }),
      /^The order in patch list:/,
    ],
  ]
  for (const [patch, text] of refusals)
    assert.throws(() => patched(pods, { ...containers(main, side), metadata: { labels: { a: 'b' } } }, patch), {
      code: 400,
      message: text,
    })
})

test('custom kinds have no merge keys', () => {
  assert.throws(() => patched({ type: 'struct', name: '', fields: new Map() }, {}, {}), {
    code: 400,
    message: 'strategic merge patch format is not supported',
  })
})

test('a patch that is nested beyond measure is refused before it is looked at', () => {
  let patch: object = {}
  for (let i = 0; i < 5_000; i++) patch = { metadata: patch }
  for (const type of ['json', 'merge', 'strategic'] as const)
    assert.throws(() => applyPatch({ type, schema: pods, old: {}, patch }), { code: 400 })
})

test('what a patch does not change is shared, all of it when it changes nothing', () => {
  const document = deepFreeze(containers(main, side))
  assert.equal(applyStrategicMergePatch(pods, document, containers({ name: 'main', image: 'a:1' })), document)
  const result = applyStrategicMergePatch(pods, document, { metadata: { labels: { a: 'b' } } })
  assert.equal(spec(result), document.spec)
})

test('merging the same patch twice is merging it once', () => {
  const container = fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: fc.constantFrom('1', '2') })
  const list = fc.uniqueArray(container, { selector: ({ name }) => name, maxLength: 3 })
  fc.assert(
    fc.property(list, list, (live, patch) => {
      const once = patched(pods, containers(...live), containers(...patch))
      assert.deepEqual(patched(pods, once, containers(...patch)), once)
      for (const { name, image } of patch)
        assert.ok(
          (spec(once)['containers'] as { name: string; image: string }[]).some(
            (item) => item.name === name && item.image === image,
          ),
        )
    }),
  )
})
