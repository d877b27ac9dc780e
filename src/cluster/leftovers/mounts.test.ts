import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { runCommand } from '../../base/command.ts'
import { mountsUnder, unmountUnder } from './mounts.ts'

const skip = process.platform !== 'linux' || process.getuid?.() !== 0 ? 'mounting needs root on Linux' : false

test(
  'everything mounted under a folder is unmounted, also what is nested, stacked or has a space in its name',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kubernode-mounts-'))
    t.after(async () => {
      await unmountUnder(folder)
      rmSync(folder, { recursive: true })
    })
    const [data, sibling] = [join(folder, 'data'), join(folder, 'data-of-somebody-else')]
    const mount = async (path: string) => {
      mkdirSync(path, { recursive: true })
      await runCommand({ file: 'mount', args: ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path] })
    }
    for (const path of [data, join(data, 'pods/a b/volume'), data, sibling]) await mount(path)
    writeFileSync(join(data, 'in-a-mount'), '')
    assert.equal(mountsUnder(data).length, 3)
    await unmountUnder(data)
    assert.deepEqual(mountsUnder(data), [])
    assert.equal(existsSync(join(data, 'in-a-mount')), false)
    assert.deepEqual(mountsUnder(sibling), [sibling])
    await unmountUnder(join(folder, 'never-made'))
  },
)
