import assert from 'node:assert/strict'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { notFound } from '../../api/errors/api-error.ts'
import { serviceAccounts } from '../../api/generated/resources.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { aPod } from '../testing/pods.ts'
import { dataStamp, writeAtomically, type Payload } from './atomic-writer.ts'
import { ensureHostPath } from './host-path.ts'
import { giveToGroup } from './ownership.ts'
import { configMapPayload, projectedPayload, type PayloadSources } from './payload.ts'
import { TokenSource } from './token-source.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-volumes-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const payloadOf = (files: Record<string, string>): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { bytes: Buffer.from(text), mode: 0o644 }]))
const none = async () => undefined

async function read(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const walk = async (path: string) => {
    for (const name of await readdir(join(folder, path))) {
      if (name.startsWith('..')) continue
      const file = join(path, name)
      if ((await stat(join(folder, file))).isDirectory()) await walk(file)
      else found[file] = await readFile(join(folder, file), 'utf8')
    }
  }
  await walk('')
  return found
}

test('files are links through ..data, so that all change in one step', async (t) => {
  const folder = await folderOf(t)
  assert.equal(await writeAtomically(folder, payloadOf({ a: '1', 'dir/b': '2' }), none, '2026_01_01_00_00_00'), true)
  assert.equal(await readlink(join(folder, 'a')), '..data/a')
  assert.equal(await readlink(join(folder, 'dir')), '..data/dir')
  assert.match(await readlink(join(folder, '..data')), /^\.\.2026_01_01_00_00_00\./)
  assert.deepEqual(await read(folder), { a: '1', 'dir/b': '2' })
})

test('the same files are not written again', async (t) => {
  const folder = await folderOf(t)
  await writeAtomically(folder, payloadOf({ a: '1' }), none, 'x')
  const before = await readlink(join(folder, '..data'))
  assert.equal(await writeAtomically(folder, payloadOf({ a: '1' }), none, 'y'), false)
  assert.equal(await readlink(join(folder, '..data')), before)
})

test('what a kubelet left half done is finished by the next one', async (t) => {
  const folder = await folderOf(t)
  await writeAtomically(folder, payloadOf({ old: '1', kept: '1' }), none, 'x')
  // Killed right after the switch: nothing is linked yet, nothing removed. And before that, once, while it wrote.
  await mkdir(join(folder, '..y.begun'))
  await writeFile(join(folder, '..y.begun/new'), 'ha')
  await mkdir(join(folder, '..y.done'))
  for (const name of ['kept', 'new']) await writeFile(join(folder, '..y.done', name), '2')
  await rm(join(folder, '..data'))
  await symlink('..y.done', join(folder, '..data'))
  assert.equal(await writeAtomically(folder, payloadOf({ kept: '2', new: '2' }), none, 'z'), false)
  assert.deepEqual((await readdir(folder)).sort(), ['..data', '..y.done', 'kept', 'new'])
  assert.deepEqual(await read(folder), { kept: '2', new: '2' })
})

test('whatever was there before, what is written is there after, and nothing else', async (t) => {
  const folder = await folderOf(t)
  const name = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'f/g/h')
  const files = fc.dictionary(name, fc.string({ maxLength: 20 }), { maxKeys: 4, noNullPrototype: true })
  await fc.assert(
    fc.asyncProperty(fc.array(files, { minLength: 1, maxLength: 4 }), async (versions) => {
      for (const version of versions) {
        await writeAtomically(folder, payloadOf(version), none, 'x')
        assert.deepEqual(await read(folder), { ...version })
      }
      assert.equal(
        (await readdir(folder)).filter((entry) => entry.startsWith('..') && entry !== '..data').length,
        1,
        'old folders are gone',
      )
    }),
    { numRuns: 30 },
  )
})

for (const path of ['', '/etc/passwd', '../x', 'a/../../x', '..data/x']) {
  test(`the path "${path}" is refused`, async (t) => {
    await assert.rejects(writeAtomically(await folderOf(t), payloadOf({ [path]: 'x' }), none, 'x'), /invalid path/)
  })
}

test('data folders are named after the time', () =>
  assert.equal(dataStamp(Date.UTC(2026, 0, 31, 9, 5, 59)), '2026_01_31_09_05_59'))

test('a volume is given to a group: it can read and write, and new files are its own', async (t) => {
  const folder = await folderOf(t)
  await mkdir(join(folder, 'sub'))
  await writeFile(join(folder, 'sub/x'), '')
  await chmod(join(folder, 'sub/x'), 0o600)
  const { gid = process.getgid!() } = await stat(folder)
  await giveToGroup(folder, { fsGroup: gid, readOnly: false })
  assert.equal((await lstat(join(folder, 'sub/x'))).mode & 0o7777, 0o660)
  assert.equal((await lstat(join(folder, 'sub'))).mode & 0o2070, 0o2070)
})

for (const [type, path, fault] of [
  ['DirectoryOrCreate', 'new/folder', undefined],
  ['FileOrCreate', 'file', undefined],
  ['FileOrCreate', 'none/file', /ENOENT/],
  ['Directory', 'missing', /hostPath type check failed: .*missing is not a directory/],
  ['Socket', '', /is not a socket file/],
  ['', 'missing', undefined],
] as const) {
  test(`a host path of type "${type}" at "${path}" is ${fault ? 'refused' : 'taken'}`, async (t) => {
    const wish = ensureHostPath({ path: join(await folderOf(t), path), type })
    await (fault ? assert.rejects(wish, fault) : wish)
  })
}

function sourcesOf(requests: string[] = []): PayloadSources & { readonly clock: VirtualClock } {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  // Only what tokens use of a client.
  const client = {
    createSubresource: async (resource: unknown, key: { name: string }) => {
      assert.equal(resource, serviceAccounts)
      requests.push(key.name)
      return {
        status: {
          token: `token-${requests.length}`,
          expirationTimestamp: new Date(clock.now() + 3_600_000).toISOString(),
        },
      }
    },
  } as unknown as Client
  return {
    clock,
    pod: aPod({ serviceAccountName: 'robot' }, { labels: { app: 'x' } }),
    objects: {
      configMap: async ({ name }) =>
        name === 'cm'
          ? { metadata: {}, data: { a: '1', b: '2' }, binaryData: { c: 'AQI=' } }
          : Promise.reject(notFound({ group: '', plural: 'configmap' }, name)),
      secret: async () => ({ metadata: {} }),
      services: async () => [],
    },
    tokens: new TokenSource(client, deps),
    node: { hostIps: [], podIps: [] },
    allocatable: {},
    user: undefined,
  }
}

test('a config map gives its keys, or those that are asked for, with their modes', async () => {
  assert.deepEqual([...(await configMapPayload('cm', {}, sourcesOf())).keys()], ['a', 'b', 'c'])
  const picked = await configMapPayload('cm', { items: [{ key: 'b', path: 'x/y', mode: 0o400 }] }, sourcesOf())
  assert.deepEqual(
    [...picked].map(([path, { bytes, mode }]) => [path, Buffer.from(bytes).toString(), mode]),
    [['x/y', '2', 0o400]],
  )
  await assert.rejects(
    configMapPayload('cm', { items: [{ key: 'zzz', path: 'x' }] }, sourcesOf()),
    /configmap references non-existent config key: zzz/,
  )
  assert.equal((await configMapPayload('none', { optional: true }, sourcesOf())).size, 0)
  await assert.rejects(configMapPayload('none', {}, sourcesOf()), /configmap "none" not found/)
})

test('a token is kept until most of its life is over, and renewed then', async () => {
  const requests: string[] = []
  const sources = sourcesOf(requests)
  const token = async () =>
    Buffer.from(
      (
        await projectedPayload(
          [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }],
          undefined,
          sources,
        )
      ).get('token')!.bytes,
    ).toString()
  assert.equal(await token(), 'token-1')
  await sources.clock.advance(40 * 60_000)
  assert.equal(await token(), 'token-1')
  await sources.clock.advance(10 * 60_000)
  assert.equal(await token(), 'token-2')
  assert.deepEqual(requests, ['robot', 'robot'])
})
