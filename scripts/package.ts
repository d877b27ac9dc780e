/**
 * Makes what is published, before `npm pack`: the command, the library (Node strips no types below node_modules), and the declarations that the library's
 * lead to. `--into FOLDER` makes it there instead of in the clone.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { bundleCommand, bundleLibrary } from './bundling.ts'

const root = join(import.meta.dirname, '..')
const into = process.argv.indexOf('--into')
const output = join(into < 0 ? root : process.argv[into + 1]!, 'dist')

rmSync(output, { recursive: true, force: true })
await bundleCommand(output)
await bundleLibrary(join(output, 'lib'))
writeDeclarations(join(output, 'types'))

/** Makes the declarations of every source, and keeps those that the entry point's name. */
function writeDeclarations(folder: string): void {
  const all = mkdtempSync(join(tmpdir(), 'kubernode-types-'))
  try {
    const args = ['-p', root, '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', all]
    const { status } = spawnSync('tsc', args, { stdio: ['ignore', 'inherit', 'inherit'] })
    if (status !== 0) throw new Error('the declarations could not be made')
    const wanted = new Set([join(all, 'src/index.d.ts')])
    for (const file of wanted) {
      cpSync(file, join(folder, relative(join(all, 'src'), file)))
      for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)\.ts'/g))
        wanted.add(join(dirname(file), `${path}.d.ts`))
    }
  } finally {
    rmSync(all, { recursive: true })
  }
}
