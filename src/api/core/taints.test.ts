import assert from 'node:assert/strict'
import test from 'node:test'
import { tolerates, untolerated } from './taints.ts'

const taint = { key: 'disk', value: 'slow', effect: 'NoSchedule' } as const

for (const [name, toleration, want] of [
  ['Equal, key and value', { key: 'disk', operator: 'Equal', value: 'slow' }, true],
  ['no operator, which means Equal', { key: 'disk', value: 'slow' }, true],
  ['no key, which means any', { value: 'slow' }, true],
  ['another value', { key: 'disk', value: 'fast' }, false],
  ['another key', { key: 'net', value: 'slow' }, false],
  ['Exists of its key', { key: 'disk', operator: 'Exists' }, true],
  ['Exists of everything', { operator: 'Exists' }, true],
  ['its effect', { key: 'disk', operator: 'Exists', effect: 'NoSchedule' }, true],
  ['another effect', { key: 'disk', operator: 'Exists', effect: 'NoExecute' }, false],
  ['an operator that is not known', { key: 'disk', operator: 'Gt', value: 'slow' }, false],
] as const)
  test(`a toleration with ${name} is ${want ? 'one' : 'none'} for the taint`, () =>
    assert.equal(tolerates(toleration, taint), want))

test('a taint without a value is tolerated by an empty one', () =>
  assert.equal(tolerates({ key: 'disk', operator: 'Equal' }, { key: 'disk', effect: 'NoSchedule' }), true))

test('the first taint of the effects that is not tolerated is told', () => {
  const taints = [
    { key: 'a', effect: 'PreferNoSchedule' },
    { key: 'b', effect: 'NoSchedule' },
    { key: 'c', effect: 'NoExecute' },
  ]
  assert.equal(untolerated(taints, undefined, ['NoSchedule', 'NoExecute'])?.key, 'b')
  assert.equal(untolerated(taints, [{ key: 'b', operator: 'Exists' }], ['NoSchedule', 'NoExecute'])?.key, 'c')
  assert.equal(untolerated(taints, [{ operator: 'Exists' }], ['NoSchedule', 'NoExecute']), undefined)
  assert.equal(untolerated(undefined, undefined, ['NoSchedule']), undefined)
})
