import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { realClock, VirtualClock } from '../../base/clock.ts'
import { endProcess, keepRunning, runningProcess, startDetached } from './child.ts'

/** A shell script that runs on by itself, and the files that tell of it. */
function running(t: TestContext, script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-child-'))
  const [file, log] = [join(folder, 'pid'), join(folder, 'logs/out.log')]
  const child = startDetached({ command: 'sh', args: ['-c', script], file, log })
  t.after(() => {
    if (runningProcess(file) !== undefined) process.kill(child.pid, 'SIGKILL')
    rmSync(folder, { recursive: true })
  })
  const said = async (text: string) => {
    for (let look = 0; !(existsSync(log) && readFileSync(log, 'utf8').includes(text)); look++) {
      assert.ok(look < 500, `the process never said ${text}`)
      await realClock.sleep(10)
    }
  }
  return { ...child, file, log, said }
}

test('a process is known by its file while it runs, and its output is in its log', async (t) => {
  const { pid, file, exited, said } = running(t, 'echo hello; sleep 60')
  await said('hello')
  assert.equal(runningProcess(file), pid)
  await endProcess(file, realClock, 5000)
  assert.equal(runningProcess(file), undefined)
  assert.equal(existsSync(file), false)
  assert.equal(await exited, 128)
})

test('a process that is kept running is started again when it was killed, also when that fails at first', async (t) => {
  const { pid, file, log, exited } = running(t, 'sleep 60')
  const clock = new VirtualClock()
  const failures: unknown[] = []
  let starts = 0
  const start = () => {
    if (++starts === 1) throw new Error('no room')
    startDetached({ command: 'sh', args: ['-c', 'sleep 60'], file, log })
  }
  const cancel = keepRunning([{ file, start, failed: (error) => failures.push(error) }], clock)
  t.after(() => endProcess(file, realClock, 5000))
  await clock.advance(5000)
  assert.equal(starts, 0) // It is the one that ran already.
  process.kill(pid, 'SIGKILL')
  await exited
  await clock.advance(1000)
  assert.deepEqual(failures, [new Error('no room')])
  await clock.advance(1000)
  const second = runningProcess(file)
  assert.ok(second !== undefined && second !== pid)
  cancel()
  process.kill(second, 'SIGKILL')
  while (runningProcess(file) !== undefined) await realClock.sleep(10)
  await clock.advance(60_000)
  assert.equal(runningProcess(file), undefined)
})

test('a process that does not end when asked is killed', async (t) => {
  const { file, said } = running(t, 'trap "" TERM; echo ready; for i in $(seq 60); do sleep 1; done')
  await said('ready')
  await endProcess(file, realClock, 100)
  assert.equal(runningProcess(file), undefined)
})

test('a file that names another process of that id is not believed: ids are used again', async (t) => {
  const { pid, file } = running(t, 'sleep 60')
  const [, started] = readFileSync(file, 'utf8').trim().split(' ')
  writeFileSync(file, `${pid} ${Number(started) - 1}\n`)
  assert.equal(runningProcess(file), undefined)
  await endProcess(file, realClock, 5000)
  process.kill(pid, 0) // throws when it is gone
  process.kill(pid, 'SIGKILL')
})

test('without a file, with an empty one and after its end no process runs', async (t) => {
  const { file, exited } = running(t, 'exit 3')
  assert.equal(await exited, 3)
  assert.equal(runningProcess(file), undefined)
  writeFileSync(file, '')
  assert.equal(runningProcess(file), undefined)
  assert.equal(runningProcess(`${file}.none`), undefined)
})
