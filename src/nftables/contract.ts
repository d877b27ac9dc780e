import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { NftError } from './nft.ts'
import type { Nft, NftStep, SetSpec } from './nft.ts'

const table = { family: 'ip', name: 'contract' } as const
const services: SetSpec = { type: 'ipv4_addr . inet_proto . inet_service : verdict' }
const clients: SetSpec = { type: 'ipv4_addr', flags: ['dynamic', 'timeout'], timeoutSeconds: 60 }

const base: NftStep[] = [
  { do: 'add table', table },
  { do: 'add chain', table, chain: 'web' },
  { do: 'add chain', table, chain: 'db' },
  { do: 'add set', table, set: 'services', spec: services },
  { do: 'add set', table, set: 'clients', spec: clients },
  { do: 'add chain', table, chain: 'nat-prerouting', hook: { type: 'nat', hook: 'prerouting', priority: -100 } },
  { do: 'add rule', table, chain: 'nat-prerouting', rule: 'ip daddr . meta l4proto . th dport vmap @services' },
  { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.1 . tcp . 80', value: 'goto web' }] },
]

/** What is refused, as steps after the above. */
const refused: readonly (readonly [name: string, ...steps: NftStep[]])[] = [
  ['a rule in a chain that is not there', { do: 'add rule', table, chain: 'none', rule: 'accept' }],
  ['a jump to a chain that is not there', { do: 'add rule', table, chain: 'web', rule: 'jump none' }],
  ['a match against a set that is not there', { do: 'add rule', table, chain: 'web', rule: 'ip saddr @none accept' }],
  ['a rule that is no rule', { do: 'add rule', table, chain: 'web', rule: 'ip daddr accept please' }],
  [
    'a translation of ports before the protocol is known',
    { do: 'add rule', table, chain: 'web', rule: 'dnat to 10.1.0.1:80' },
  ],
  ['an IPv6 match in an IPv4 table', { do: 'add rule', table, chain: 'web', rule: 'ip6 saddr fd00::1 accept' }],
  ['deleting a chain that is not there', { do: 'delete chain', table, chain: 'none' }],
  ['flushing a set that is not there', { do: 'flush set', table, set: 'none', spec: services }],
  ['deleting a chain that a map leads to', { do: 'delete chain', table, chain: 'web' }],
  [
    'deleting a chain that a rule leads to',
    { do: 'add rule', table, chain: 'web', rule: 'goto db' },
    { do: 'delete chain', table, chain: 'db' },
  ],
  ['deleting a map that a rule uses', { do: 'delete set', table, set: 'services', spec: services }],
  [
    'an element twice with two values',
    { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.1 . tcp . 80', value: 'goto db' }] },
  ],
  [
    'an element that leads nowhere',
    { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.2 . tcp . 80', value: 'goto none' }] },
  ],
  [
    'an element of another type',
    { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.2 . tcp', value: 'goto web' }] },
  ],
  [
    'an address that is none',
    { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.300 . tcp . 80', value: 'goto web' }] },
  ],
  [
    'deleting an element that is not there',
    { do: 'delete elements', table, set: 'services', elements: [{ key: '10.0.0.9 . tcp . 80' }] },
  ],
  [
    'a base chain under another hook',
    { do: 'add chain', table, chain: 'nat-prerouting', hook: { type: 'nat', hook: 'output', priority: -100 } },
  ],
  [
    'a way back into a chain',
    { do: 'add rule', table, chain: 'web', rule: 'jump db' },
    { do: 'add rule', table, chain: 'db', rule: 'jump web' },
  ],
  ['masquerading before routing', { do: 'add rule', table, chain: 'web', rule: 'masquerade' }],
  ['anything in a table that is not there', { do: 'add chain', table: { family: 'ip', name: 'none' }, chain: 'x' }],
  ['deleting a table that is not there', { do: 'delete table', table: { family: 'ip', name: 'none' } }],
]

/** What every implementation of `Nft` does. */
export function nftContract(
  name: string,
  start: (t: TestContext) => Promise<Nft>,
  options: { skip: string | false } = { skip: false },
): void {
  const check = (sentence: string, body: (nft: Nft) => Promise<void>) =>
    test(`${name}: ${sentence}`, options, async (t) => body(await start(t)))

  check('a transaction is there whole', async (nft) => {
    await nft.apply(base)
    assert.deepEqual(await nft.tables(), [table])
    assert.deepEqual(await nft.elements(table, 'services'), [{ key: '10.0.0.1 . tcp . 80', value: 'goto web' }])
    assert.equal(await nft.ruleCount(table, 'nat-prerouting'), 1)
    assert.equal(await nft.ruleCount(table, 'web'), 0)
  })

  check('the outline names chains with their hooks and sets with their types', async (nft) => {
    await nft.apply(base)
    const outline = await nft.outline(table)
    assert.deepEqual([...(outline?.chains ?? [])].sort(), [
      ['db', undefined],
      ['nat-prerouting', { type: 'nat', hook: 'prerouting', priority: -100 }],
      ['web', undefined],
    ])
    assert.equal(outline?.sets.get('services')?.type, services.type)
    assert.equal(outline?.sets.get('clients')?.timeoutSeconds, 60)
  })

  check('what is not there is undefined', async (nft) => {
    assert.deepEqual(await nft.tables(), [])
    assert.equal(await nft.outline(table), undefined)
    assert.equal(await nft.ruleCount(table, 'web'), undefined)
    await assert.rejects(nft.elements(table, 'services'), NftError)
  })

  check('adding the same again changes nothing', async (nft) => {
    await nft.apply(base)
    await nft.apply(base.filter((step) => step.do !== 'add rule'))
    assert.equal((await nft.elements(table, 'services')).length, 1)
    assert.equal(await nft.ruleCount(table, 'nat-prerouting'), 1)
  })

  check('a chain goes when nothing leads to it any more, within the same transaction', async (nft) => {
    await nft.apply(base)
    await nft.apply([
      { do: 'delete elements', table, set: 'services', elements: [{ key: '10.0.0.1 . tcp . 80' }] },
      { do: 'add elements', table, set: 'services', elements: [{ key: '10.0.0.1 . tcp . 80', value: 'goto db' }] },
    ])
    await nft.apply([{ do: 'flush set', table, set: 'services', spec: services }])
    assert.deepEqual(await nft.elements(table, 'services'), [])
    await nft.apply([{ do: 'delete table', table }])
    assert.equal(await nft.outline(table), undefined)
  })

  for (const [sentence, ...steps] of refused) {
    check(`${sentence} is refused, and nothing of its transaction stays`, async (nft) => {
      await nft.apply(base)
      await assert.rejects(nft.apply([{ do: 'add chain', table, chain: 'first' }, ...steps]), NftError)
      assert.equal((await nft.outline(table))?.chains.has('first'), false)
    })
  }
}
