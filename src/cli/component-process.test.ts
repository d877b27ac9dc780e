import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

const skip = existsSync('/dev/full') ? false : 'there is no /dev/full here'

test('a component goes on when the disk of its log is full', { skip }, () => {
  const script = `
    const { componentDeps } = await import(${JSON.stringify(join(import.meta.dirname, 'component-process.ts'))})
    const { log } = await componentDeps('test', 0)
    for (let line = 0; line < 1000; line++) {
      log.info({ text: 'x'.repeat(2000) }, 'a line')
      if (line % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let line = 0; line < 5; line++) {
      console.error('from a library')
      await new Promise((resolve) => setImmediate(resolve))
    }
    console.log('still there')`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', openSync('/dev/full', 'w')],
    encoding: 'utf8',
    timeout: 30_000,
  })
  assert.deepEqual({ status, stdout }, { status: 0, stdout: 'still there\n' })
})
