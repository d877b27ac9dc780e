import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../../base/clock.ts'
import { parseLogLine } from './cri-line.ts'
import { parseLogOptions, type LogOptions } from './log-options.ts'
import { readLog } from './read-log.ts'
import { tailStart } from './tail.ts'

const nowMs = Date.parse('2026-01-31T10:00:00Z')

function options(query: string): LogOptions {
  const parsed = parseLogOptions(new URLSearchParams(query), nowMs)
  assert.equal(typeof parsed, 'object')
  return parsed as LogOptions
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'kubernode-logs-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

async function read(t: TestContext, log: string, query = ''): Promise<string> {
  const path = join(folder(t), '0.log')
  writeFileSync(path, log)
  return text(
    await readLog(
      { clock: new VirtualClock(nowMs), path, isRunning: async () => false },
      options(query),
      new AbortController().signal,
    ),
  )
}

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  let out = ''
  for await (const chunk of chunks) out += chunk.toString()
  return out
}

const log = [
  '2026-01-31T09:00:00.1Z stdout F first',
  '2026-01-31T09:30:00.123456789Z stderr F warning',
  '2026-01-31T09:59:00Z stdout P half a ',
  '2026-01-31T09:59:00.5Z stdout F line',
  '2026-01-31T09:59:59Z stdout F ',
  '',
].join('\n')

for (const [what, query, want] of [
  ['everything, partial lines put together', '', 'first\nwarning\nhalf a line\n\n'],
  ['one stream', 'stream=Stderr', 'warning\n'],
  [
    'times with nine places, one for each whole line',
    'timestamps=true',
    '2026-01-31T09:00:00.100000000Z first\n2026-01-31T09:30:00.123456789Z warning\n2026-01-31T09:59:00.000000000Z half a line\n2026-01-31T09:59:59.000000000Z \n',
  ],
  ['the last entries', 'tailLines=2', 'line\n\n'],
  ['nothing of zero lines', 'tailLines=0', ''],
  ['all when there are fewer lines than asked for', 'tailLines=100', 'first\nwarning\nhalf a line\n\n'],
  ['what is not older than so many seconds', 'sinceSeconds=60', 'half a line\n\n'],
  ['what is not older than a time', 'sinceTime=2026-01-31T09:30:00Z', 'warning\nhalf a line\n\n'],
  ['no more than so many bytes', 'limitBytes=8', 'first\nwa'],
] as const) {
  test(`a log is read: ${what}`, async (t) => assert.equal(await read(t, log, query), want))
}

test('an entry that is cut off is given at the end, and what is no entry is left out', async (t) => {
  assert.equal(
    await read(t, 'rubbish\n2026-01-31T09:00:00Z stdout F one\n2026-01-31T09:00:01Z stdout F tw'),
    'one\ntw\n',
  )
})

test('options that make no sense are refused', () => {
  for (const [query, want] of [
    ['tailLines=-1', 'invalid'],
    ['limitBytes=0', 'invalid'],
    ['sinceSeconds=0', 'invalid'],
    ['sinceSeconds=1&sinceTime=2026-01-31T09:30:00Z', 'invalid'],
    ['stream=Both', 'invalid'],
    ['stream=Stdout&tailLines=1', 'invalid'],
    ['tailLines=x', 'undecodable'],
    ['sinceTime=yesterday', 'undecodable'],
  ] as const) {
    assert.equal(parseLogOptions(new URLSearchParams(query), nowMs), want, query)
  }
})

test('the tail begins where counting lines from the end says', async (t) => {
  const path = join(folder(t), 'tail')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(40), { maxLength: 40 }),
      fc.nat(45),
      fc.boolean(),
      async (lengths, count, ended) => {
        const lines = lengths.map((length) => 'x'.repeat(length * 100))
        const content = lines
          .map((line) => `${line}\n`)
          .join('')
          .slice(0, ended || lines.at(-1) === '' ? undefined : -1)
        writeFileSync(path, content)
        const file = await open(path, 'r')
        const start = await tailStart(file, count)
        await file.close()
        const want = lines.slice(count === 0 ? lines.length : -count).reduce((sum, line) => sum + line.length + 1, 0)
        assert.equal(
          start,
          Math.max(
            0,
            content.length -
              Math.max(0, want - (ended || lines.length === 0 || lines.at(-1) === '' || count === 0 ? 0 : 1)),
          ),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('any bytes are a line or none', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void parseLogLine(Buffer.from(bytes))))
})

/** Reads a followed log; `until` waits for a text to have come. */
function follow(path: string, isRunning: () => boolean, query = 'follow=true') {
  const clock = new VirtualClock(nowMs)
  const stop = new AbortController()
  let got = ''
  let wake = () => {}
  const done = (async () => {
    for await (const chunk of await readLog(
      { clock, path, isRunning: async () => isRunning() },
      options(query),
      stop.signal,
    )) {
      got += chunk.toString()
      wake()
    }
  })()
  const until = async (want: string) => {
    while (!got.includes(want)) await new Promise<void>((resolve) => (wake = resolve))
  }
  return { clock, stop, done, until, got: () => got }
}

test('a followed log goes on across its rotation, and ends with the container', async (t) => {
  const path = join(folder(t), '0.log')
  let running = true
  writeFileSync(path, '2026-01-31T09:00:00Z stdout F one\n')
  const { clock, done, until, got } = follow(path, () => running)
  await until('one')
  appendFileSync(path, '2026-01-31T09:00:01Z stdout F two\n')
  await until('two')
  renameSync(path, `${path}.20260131-090559`)
  appendFileSync(`${path}.20260131-090559`, '2026-01-31T09:00:02Z stdout F three\n')
  await until('three')
  writeFileSync(path, '2026-01-31T09:00:03Z stdout F four\n')
  await until('four')
  running = false
  let over = false
  void done.then(() => (over = true))
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(1000)
  }
  assert.equal(got(), 'one\ntwo\nthree\nfour\n')
})

test('following ends when the client goes', async (t) => {
  const path = join(folder(t), '0.log')
  writeFileSync(path, '2026-01-31T09:00:00Z stdout F one\n')
  const { stop, done, until } = follow(path, () => true)
  await until('one')
  stop.abort()
  await done
})
