import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { exitCodes } from '../cluster/problem.ts'

/** The command with a home of its own; whatever it started ends with the test. */
function aHome(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'kubernode-cli-'))
  const kubeconfig = join(home, 'kubeconfig')
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KUBERNODE_'))
  const env = { ...Object.fromEntries(inherited), KUBERNODE_HOME: home, KUBECONFIG: kubeconfig, NO_COLOR: '1' }
  const start = (...args: string[]) =>
    spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kubernode = async (...args: string[]) => {
    const child = start(...args)
    const [stdout, stderr, [code]] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'exit') as Promise<[number]>,
    ])
    return { code, stdout: stdout.join(''), stderr: stderr.join('') }
  }
  t.after(async () => {
    await kubernode('delete', '--all')
    rmSync(home, { recursive: true })
  })
  return { home, kubeconfig, start, kubernode }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  assert.ok(address !== null && typeof address === 'object')
  return String(address.port)
}

test('a cluster comes up, is brought back with the settings it has, moves to another port, and goes', async (t) => {
  const { kubeconfig, kubernode } = aHome(t)
  const [port, other] = [await freePort(), await freePort()]
  const up = await kubernode('up', 'dev', '--simulated', '--nodes', '2', '--port', port, '-o', 'json')
  assert.equal(up.code, 0, up.stderr)
  const events = up.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; name: string })
  assert.partialDeepStrictEqual(events.at(-1), {
    type: 'result',
    name: 'dev',
    server: `https://127.0.0.1:${port}`,
    context: 'kubernode-dev',
  })

  assert.match((await kubernode('logs', '-n', 'dev', 'kubelet')).stdout, /the node is registered/)
  assert.equal((await kubernode('down', 'dev')).code, 0)
  const stopped = await kubernode('status', 'dev')
  assert.deepEqual([stopped.code, stopped.stdout.includes('stopped')], [exitCodes.degraded, true])

  assert.equal((await kubernode('up', 'dev', '-q')).code, 0)
  const status = await kubernode('status', 'dev')
  assert.equal(status.code, 0)
  assert.match(status.stdout, /node dev-2 +ok/)

  const moved = await kubernode('up', 'dev', '--port', other)
  assert.equal(moved.code, 0, moved.stderr)
  assert.ok((await kubernode('status', 'dev')).stdout.includes(`127.0.0.1:${other}`))
  assert.ok(readFileSync(kubeconfig, 'utf8').includes(`127.0.0.1:${other}`))

  const grown = await kubernode('up', 'dev', '--nodes', '3')
  assert.deepEqual([grown.code, grown.stderr.includes('cannot be changed in place')], [exitCodes.usage, true])
  const second = await kubernode('up', 'second', '--simulated', '--port', other)
  assert.deepEqual([second.code, second.stderr.includes('in use by the cluster dev')], [exitCodes.failed, true])

  assert.equal((await kubernode('delete', 'dev')).code, 0)
  assert.ok(!existsSync(kubeconfig), 'a file that was made for the cluster goes with it')
  assert.equal((await kubernode('delete', 'dev')).code, exitCodes.notFound)
})

test('an interrupted start says what became of it, and can be gone on with or undone', async (t) => {
  const { start, kubernode } = aHome(t)
  const child = start('up', 'dev', '--simulated', '--port', await freePort())
  let stderr = ''
  let asked = false
  for await (const text of child.stderr.setEncoding('utf8')) {
    stderr += text
    if (!asked && stderr.includes('certificates')) asked = child.kill('SIGINT')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, exitCodes.interrupted, stderr)
  assert.match(stderr, /KN-CLUSTER-06: interrupted by SIGINT\n.*kubernode up dev.*kubernode delete dev/)
  assert.equal((await kubernode('up', 'dev', '-q')).code, 0)
})

test('another kubeconfig takes the context over', async (t) => {
  const { home, kubeconfig, kubernode } = aHome(t)
  const up = ['up', '--simulated', '-q', '--port', await freePort()]
  assert.equal((await kubernode(...up)).code, 0)
  assert.equal((await kubernode(...up, '--kubeconfig', join(home, 'other'))).code, 0)
  assert.ok(!existsSync(kubeconfig))
  assert.ok(readFileSync(join(home, 'other'), 'utf8').includes('current-context: kubernode'))
})

test('what cannot be used is refused with what is wrong, before anything is done', async (t) => {
  const { home, kubernode } = aHome(t)
  const file = join(home, 'cluster.yaml')
  writeFileSync(file, 'apiVersion: kubernode.dev/v1\nkind: Cluster\nmetadata: { name: from-file }\n')
  for (const [args, code, message] of [
    [['list', '-o', 'banana'], exitCodes.usage, /'banana' is invalid. Allowed choices are text, json/],
    [['status', '-v', 'loud'], exitCodes.usage, /'loud' is invalid/],
    [['up', '--wait', 'soon'], exitCodes.usage, /'soon' is invalid/],
    [['up', '--timeout', 'soon'], exitCodes.usage, /--timeout is "soon"/],
    [['up', '--nodes'], exitCodes.usage, /argument missing/],
    [['up', '--node', '3'], exitCodes.usage, /unknown option '--node'\n\(Did you mean .*--nodes/],
    [['up', 'a', '-n', 'b'], exitCodes.usage, /two clusters are named: a and b/],
    [['up', '--config', file, '--name', 'A'], exitCodes.usage, /metadata.name is "A"/],
    [['delete', '../..'], exitCodes.usage, /metadata.name is "..\/.."/],
    [['delete', ''], exitCodes.usage, /metadata.name is ""/],
    [['down', 'nosuch'], exitCodes.notFound, /there is no cluster named nosuch/],
    [['image', 'load', '/nowhere'], exitCodes.notFound, /there is no cluster named kubernode/],
    [['completion', 'tcsh'], exitCodes.usage, /no completion for the shell tcsh/],
    [['bogus'], exitCodes.usage, /unknown command 'bogus'/],
  ] as const) {
    const outcome = await kubernode(...args)
    assert.deepEqual([args, outcome.code], [args, code])
    assert.match(outcome.stderr, message)
    assert.equal(outcome.stdout, '')
  }
  const config = await kubernode('up', '--config', file, '--print-config', '-o', 'json')
  assert.partialDeepStrictEqual(JSON.parse(config.stdout), {
    items: [{ field: 'metadata.name', value: 'from-file', from: `file ${file}` }],
  })
})
