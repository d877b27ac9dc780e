import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nftContract } from '../contract.ts'
import { memoryNft } from './memory.ts'
import type { Packet } from './packet.ts'

nftContract('memory', async () => memoryNft())

const packet: Packet = {
  source: '10.244.0.5',
  destination: '10.96.0.1',
  protocol: 'tcp',
  destinationPort: 80,
  isLocal: () => false,
  random: () => 0.6,
}
const table = { family: 'ip', name: 't' } as const

test('a packet takes the way that the maps and rules send it', async () => {
  const nft = memoryNft()
  await nft.apply([
    { do: 'add table', table },
    { do: 'add chain', table, chain: 'web' },
    { do: 'add set', table, set: 'services', spec: { type: 'ipv4_addr . inet_proto . inet_service : verdict' } },
    { do: 'add elements', table, set: 'services', elements: [{ key: '10.96.0.1 . tcp . 80', value: 'goto web' }] },
    { do: 'add chain', table, chain: 'pre', hook: { type: 'nat', hook: 'prerouting', priority: -100 } },
    { do: 'add chain', table, chain: 'post', hook: { type: 'nat', hook: 'postrouting', priority: 100 } },
    { do: 'add rule', table, chain: 'pre', rule: 'ip daddr . meta l4proto . th dport vmap @services' },
    { do: 'add rule', table, chain: 'web', rule: 'numgen random mod 2 0 meta l4proto tcp dnat to 10.244.0.5:8080' },
    { do: 'add rule', table, chain: 'web', rule: 'ip saddr 10.244.0.0/16 meta mark set meta mark or 16384' },
    { do: 'add rule', table, chain: 'web', rule: 'meta l4proto tcp dnat to 10.244.0.6:8080' },
    { do: 'add rule', table, chain: 'post', rule: 'meta mark and 16384 != 0 masquerade fully-random' },
  ])
  assert.deepEqual(nft.send(packet, 'outside'), {
    verdict: 'accept',
    destination: '10.244.0.6',
    destinationPort: 8080,
    masqueraded: true,
    translated: true,
  })
  assert.equal(nft.send({ ...packet, random: () => 0.1 }, 'outside').destination, '10.244.0.5')
  assert.equal(nft.send({ ...packet, protocol: 'udp' }, 'outside').translated, false)
})
