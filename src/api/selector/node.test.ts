import assert from 'node:assert/strict'
import test from 'node:test'
import type { Node, NodeSelectorRequirement } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { allowsNode, matchesNodeSelector, matchesNodeTerm } from './node.ts'

const node: Frozen<Node> = { metadata: { name: 'n1', labels: { zone: 'a', disks: '12', big: '9007199254740993' } } }

/** Requirements as 'key operator value,value'. */
const requirement = (text: string): NodeSelectorRequirement => {
  const [key = '', operator = '', values] = text.split(' ')
  return { key, operator, ...(values !== undefined && { values: values.split(',') }) }
}

for (const [text, want] of [
  ['zone In a,b', true],
  ['zone In b', false],
  ['absent In a', false],
  ['zone NotIn b', true],
  ['zone NotIn a', false],
  ['absent NotIn a', true],
  ['zone Exists', true],
  ['absent Exists', false],
  ['absent DoesNotExist', true],
  ['zone DoesNotExist', false],
  ['disks Gt 11', true],
  ['disks Gt 12', false],
  ['disks Lt +13', true],
  ['disks Lt 12', false],
  ['zone Gt 1', false],
  ['absent Lt 1', false],
  ['disks Gt many', false],
  ['big Gt 9007199254740992', true],
  ['zone Like a', false],
] as const)
  test(`a label requirement "${text}" ${want ? 'holds' : 'does not hold'}`, () =>
    assert.equal(matchesNodeTerm({ matchExpressions: [requirement(text)] }, node), want))

test('a field requirement sees the name of the node and nothing else', () => {
  assert.equal(matchesNodeTerm({ matchFields: [requirement('metadata.name In n1')] }, node), true)
  assert.equal(matchesNodeTerm({ matchFields: [requirement('metadata.name In n2')] }, node), false)
  assert.equal(matchesNodeTerm({ matchFields: [requirement('zone In a')] }, node), false)
})

test('all requirements of a term must hold, and one of the terms', () => {
  const [zone, other] = [requirement('zone In a'), requirement('disks In 13')]
  assert.equal(matchesNodeTerm({ matchExpressions: [zone, other] }, node), false)
  assert.equal(
    matchesNodeTerm({ matchExpressions: [zone], matchFields: [requirement('metadata.name In n2')] }, node),
    false,
  )
  assert.equal(
    matchesNodeSelector({ nodeSelectorTerms: [{ matchExpressions: [other] }, { matchExpressions: [zone] }] }, node),
    true,
  )
})

test('neither an empty term nor a selector without terms matches a node', () => {
  assert.equal(matchesNodeTerm({}, node), false)
  assert.equal(matchesNodeSelector({ nodeSelectorTerms: [] }, node), false)
})

test('a Pod is allowed where its node selector and its required affinity hold; what it prefers does not count', () => {
  const affinity = (zone: string) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [requirement(`zone In ${zone}`)] }],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [requirement('zone In b')] } },
      ],
    },
  })
  assert.equal(allowsNode(undefined, node), true)
  assert.equal(allowsNode({ containers: [], nodeSelector: { zone: 'a' }, affinity: affinity('a') }, node), true)
  assert.equal(allowsNode({ containers: [], nodeSelector: { zone: 'b' }, affinity: affinity('a') }, node), false)
  assert.equal(allowsNode({ containers: [], nodeSelector: { zone: 'a' }, affinity: affinity('b') }, node), false)
  assert.equal(allowsNode({ containers: [], nodeSelector: { zone: 'a' } }, { metadata: { name: 'bare' } }), false)
})
