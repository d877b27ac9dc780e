import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pluginNames } from '../../network/cni/config-list.ts'
import { cniFolder, findProgram } from './programs.ts'

test('plugins count only where all of them are, and a program of the same name on PATH is none', (t) => {
  const [path, half, whole] = [0, 1, 2].map(() => mkdtempSync(join(tmpdir(), 'kubernode-programs-'))) as [
    string,
    string,
    string,
  ]
  const before = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = before
    for (const folder of [path, half, whole]) rmSync(folder, { recursive: true })
  })
  const put = (folder: string, name: string) => writeFileSync(join(folder, name), '', { mode: 0o755 })
  process.env['PATH'] = path
  for (const name of pluginNames) put(path, name)
  put(half, 'bridge')
  assert.equal(findProgram('bridge'), join(path, 'bridge'))
  assert.equal(cniFolder([half, whole]), undefined)
  for (const name of pluginNames) put(whole, name)
  assert.equal(cniFolder([half, whole]), whole)
})

test('a file that may not be run is no program', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-programs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'containerd'), '', { mode: 0o644 })
  assert.equal(findProgram('containerd', [folder]), undefined)
})
