import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFlow } from './conntrack.ts'

test('a tracked flow is read from the tool’s line', () => {
  const line =
    'udp      17 29 src=10.0.0.1 dst=10.96.0.10 sport=4242 dport=53 [UNREPLIED] src=10.244.0.2 dst=10.0.0.1 sport=5353 dport=4242 mark=0 use=1'
  assert.deepEqual(parseFlow(line), {
    destination: '10.96.0.10',
    destinationPort: 53,
    replySource: '10.244.0.2',
    replySourcePort: 5353,
  })
  assert.equal(parseFlow('conntrack v1.4.7: 12 flow entries have been shown.'), undefined)
})
