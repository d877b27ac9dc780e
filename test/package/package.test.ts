import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { runCommand } from '../../src/base/command.ts'

const root = join(import.meta.dirname, '../..')
const program = (name: string) => join(root, 'node_modules/.bin', name)

/** What a user writes: it must compile and run, and a misspelt field must not compile. */
const usersProgram = `
import { Cluster, deployments, type Deployment, type Pod } from 'kubernode'

const labels = { app: 'web' }
const web: Deployment = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
}
// @ts-expect-error There is no such field.
export const misspelt: Pod = { spec: { containers: [], nodename: 'a' } }

const cluster = await Cluster.start({ nodes: 2 })
await cluster.client.create(deployments, web)
const ready = await cluster.until(deployments, { namespace: 'default', name: 'web' }, (d) => d.status?.readyReplicas === 2)
await cluster.stop()
console.log(ready.metadata.name)
`

/** An npm on an older Node leaves the bundler's native part out. */
const bundles = await import('rolldown').then(
  () => true,
  () => false,
)
const skip = !bundles && "the bundler's native part is not installed: run npm install on Node 20 or newer"

test(
  'the package as it is published has a command that runs, a library that can be imported, and its types',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kubernode-package-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const [made, modules] = [join(folder, 'made'), join(folder, 'user/node_modules')]
    const run = (file: string, ...args: string[]) => runCommand({ file, args })

    await run(process.execPath, join(root, 'scripts/package.ts'), '--into', made)
    cpSync(join(root, 'package.json'), join(made, 'package.json'))
    await run('npm', 'pack', made, '--ignore-scripts', '--silent', '--pack-destination', folder)
    mkdirSync(join(modules, '@types'), { recursive: true })
    await run('sh', '-c', `cd ${modules} && tar xzf ${folder}/*.tgz && mv package kubernode`)
    symlinkSync(join(root, 'node_modules/lmdb'), join(modules, 'lmdb'))
    symlinkSync(join(root, 'node_modules/@types/node'), join(modules, '@types/node'))

    const version = await run(process.execPath, join(modules, 'kubernode/dist/kubernode.js'), 'version')
    assert.match(version.stdout, /^kubernode 1\.35\./)

    const file = join(folder, 'user/program.ts')
    writeFileSync(join(folder, 'user/package.json'), '{ "type": "module" }')
    writeFileSync(file, usersProgram)
    assert.equal((await run(process.execPath, file)).stdout, 'web\n')
    writeFileSync(
      join(folder, 'user/tsconfig.json'),
      JSON.stringify({
        compilerOptions: { noEmit: true, strict: true, target: 'es2024', module: 'nodenext', types: ['node'] },
        files: ['program.ts'],
      }),
    )
    await run(program('tsc'), '-p', join(folder, 'user'))
  },
)
