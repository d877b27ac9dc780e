import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure, atMost, benchDeps, figure, freePort } from './measure.ts'
import { usageOf } from './processes.ts'

const watchersMax = 500
const writes = 50
/** Written before the clock starts: the first ones run in code that is not compiled yet. */
const warmUpWrites = 20
const paceMs = 100
const token = 'bench'
const path = '/api/v1/namespaces/default/configmaps'

/**
 * CPU of one event to one of 500 watchers, ten events a second: in the API server alone, and in a Node process that does nothing but write as many bytes to as many sockets.
 * The second is what no server on Node can do without.
 */
export async function watchFigures(): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'kubernode-bench-'))
  try {
    const tokens = join(home, 'tokens.csv')
    await writeFile(tokens, `${token},bench,bench,"system:masters"\n`)
    const ports = [await freePort(), await freePort()]
    const server = join(import.meta.dirname, '../dist/kubernode.js')
    const data = join(home, 'data')
    const flags = ['--data-dir', data, '--secure-port', String(ports[0]), '--bind-address', '127.0.0.1']
    const ours = await eventUs(ports[0]!, [server, 'apiserver', ...flags, '--token-auth-file', tokens])
    const pki = ['apiserver.crt', 'apiserver.key'].map((file) => join(data, 'pki', file))
    const bare = await eventUs(ports[1]!, [join(import.meta.dirname, 'bare-watch.ts'), String(ports[1]), ...pki])
    const what = `an event to one of ${watchersMax} watchers, ${1000 / paceMs} a second`
    return [
      figure(`${what}: CPU of a bare Node server`, bare, 'µs'),
      figure(`${what}: CPU of the API server`, ours, 'µs'),
      atMost(`${what}: the API server to the bare one`, ours / bare, 'times', 1.5),
    ]
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function eventUs(port: number, command: readonly string[]): Promise<number> {
  const { clock } = benchDeps()
  const alive = setInterval(() => {}, 1000) // The clock's timers do not keep the process alive.
  const child = spawn(process.execPath, ['--max-semi-space-size=16', ...command], { stdio: 'ignore' })
  try {
    await answered(port, child)
    await ask(port, 'POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
    const watchers = await Promise.all(Array.from({ length: watchersMax }, () => watch(port)))
    for (let i = 0; i < warmUpWrites; i++) await write(port, i)
    await clock.sleep(paceMs)
    const before = usageOf([child.pid!]).cpuMs
    const seen = () => watchers.reduce((sum, { events }) => sum + events, 0)
    const seenBefore = seen()
    for (let i = 0; i < writes; i++) {
      await clock.sleep(paceMs)
      await write(port, warmUpWrites + i)
    }
    await clock.sleep(paceMs)
    const used = usageOf([child.pid!]).cpuMs - before
    if (seen() - seenBefore !== writes * watchersMax)
      throw new Error(`${seen() - seenBefore} events came, not ${writes * watchersMax}`)
    for (const { answer } of watchers) answer.destroy()
    return (used * 1000) / (writes * watchersMax)
  } finally {
    clearInterval(alive)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.kill()) await ended
  }
}

/** Waits until the server answers. */
async function answered(port: number, child: ChildProcess): Promise<void> {
  const { clock } = benchDeps()
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const code = await ask(port, 'GET', '/readyz').catch(() => 0)
    if (code === 200) return
    await clock.sleep(50)
  }
  throw new Error('the server does not answer')
}

const write = (port: number, index: number) =>
  ask(port, 'POST', path, { metadata: { name: `event-${index}` }, data: { value: 'x'.repeat(1024) } })

/** Asks for something and reads all of the answer. */
async function ask(port: number, method: string, target: string, body?: object): Promise<number> {
  const answer = await open(port, { method, path: target, headers: { 'content-type': 'application/json' } }, body)
  for await (const _ of answer);
  return answer.statusCode ?? 0
}

/** A watch on a connection of its own, and how many events have come. */
async function watch(port: number): Promise<{ events: number; answer: IncomingMessage }> {
  const answer = await open(port, { path: `${path}?watch=1`, agent: false })
  const watcher = { events: 0, answer }
  answer.on('error', () => {})
  answer.on('data', (bytes: Buffer) => {
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) watcher.events++
  })
  return watcher
}

function open(port: number, options: RequestOptions, body?: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...options.headers }
    request({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options, headers }, resolve)
      .on('error', reject)
      .end(body && JSON.stringify(body))
  })
}
