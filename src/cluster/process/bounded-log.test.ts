import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { boundLog } from './bounded-log.ts'

const tooLarge = 33 * 1024 * 1024

function aLog(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-log-'))
  const path = join(folder, 'a.log')
  const descriptor = openSync(path, 'a')
  t.after(() => {
    closeSync(descriptor)
    rmSync(folder, { recursive: true })
  })
  return { path, descriptor, clock: new VirtualClock() }
}

test('a log that has grown too large becomes the old one, and what is appended then is the new one', async (t) => {
  const { path, descriptor, clock } = aLog(t)
  const bound = boundLog({ clock, log: silentLogger }, { path, descriptor })
  writeSync(descriptor, 'short\n')
  await clock.advance(120_000)
  assert.equal(readFileSync(path, 'utf8'), 'short\n')

  truncateSync(path, tooLarge)
  await clock.advance(60_000)
  writeSync(descriptor, 'new\n')
  assert.deepEqual([statSync(`${path}.old`).size, readFileSync(path, 'utf8')], [tooLarge, 'new\n'])
  bound.close()
})

test('what is not that file is left alone', async (t) => {
  const { path, descriptor, clock } = aLog(t)
  const bound = boundLog({ clock, log: silentLogger }, { path: `${path}.other`, descriptor })
  truncateSync(path, tooLarge)
  await clock.advance(120_000)
  assert.equal(statSync(path).size, tooLarge)
  bound.close()
})
