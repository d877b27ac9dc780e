import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('what is generated is what the facts give', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), '--verify'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})
