import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pauseProgram } from './pause-program.ts'

const runnable = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')

test(
  'the pause program waits, and ends with 0 when it is told to',
  { skip: !runnable && 'needs Linux on x64 or arm64' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kubernode-pause-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const program = join(folder, 'pause')
    writeFileSync(program, pauseProgram(process.arch as 'x64' | 'arm64'), { mode: 0o755 })
    const child = spawn(program)
    await once(child, 'spawn')
    // It is ready when it ignores SIGCHLD and sleeps.
    const waits = () => /^State:\tS[^]*^SigIgn:\t0*10000$/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
    while (!waits()) await new Promise((turn) => setImmediate(turn))
    child.kill('SIGCHLD') // ignored
    child.kill('SIGTERM')
    const [code, signal] = await once(child, 'exit')
    assert.deepEqual([code, signal], [0, null])
  },
)
