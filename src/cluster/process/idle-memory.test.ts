import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { ownMemory, returnIdleMemory } from './idle-memory.ts'

const mebibyte = 2 ** 20

function world(usedMb = 30) {
  const clock = new VirtualClock()
  const process = { cpuMs: 0, usedMb, reservedMb: usedMb + 12, collections: 0 }
  const memory = returnIdleMemory(
    { clock, log: silentLogger },
    {
      cpuMs: () => process.cpuMs,
      heap: () => ({ usedBytes: process.usedMb * mebibyte, reservedBytes: process.reservedMb * mebibyte }),
      collect: async () => {
        process.collections++
        process.reservedMb = process.usedMb + 1
      },
    },
  )
  return { clock, process, memory }
}

test('an idle process gives back what it does not need, once', async () => {
  const { clock, process } = world()
  await clock.advance(19_000)
  assert.equal(process.collections, 0, 'it may only pause')
  await clock.advance(300_000)
  assert.equal(process.collections, 1)
})

test('what a later burst has left is given back too, when it is over', async () => {
  const { clock, process } = world()
  await clock.advance(60_000)
  process.reservedMb += 20
  for (let i = 0; i < 6; i++) {
    process.cpuMs += 5000
    await clock.advance(10_000)
  }
  assert.equal(process.collections, 1, 'it works')
  await clock.advance(20_000)
  assert.equal(process.collections, 2)
})

test('a large heap is left alone', async () => {
  const { clock, process } = world(200)
  await clock.advance(300_000)
  assert.equal(process.collections, 0)
})

test('nothing is done after the end', async () => {
  const { clock, process, memory } = world()
  memory.close()
  await clock.advance(300_000)
  assert.equal(process.collections, 0)
})

test('a process that cannot collect at will has nothing to offer', () => {
  assert.equal(ownMemory() === undefined, globalThis.gc === undefined)
})
