/**
 * Bundles the command into dist/: one file and a few that are loaded when needed, instead of six hundred modules whose types must be stripped at every start.
 * Does nothing when dist/ is newer than every source. Chunks of earlier bundles stay: a cluster that runs may still load them.
 */
import { globSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const output = join(root, 'dist')
const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const sources = [
  ...globSync('src/**/*.{ts,json}', { cwd: root }),
  'package.json',
  'package-lock.json',
  'scripts/bundle.ts',
].map((file) => modified(join(root, file)))
if (modified(join(output, 'kubernode.js')) < Math.max(...sources) || process.argv.includes('--force')) {
  if (process.argv.includes('--force')) rmSync(output, { recursive: true, force: true })
  const bundle = await rolldown({
    input: { kubernode: join(root, 'src/cli/main.ts') },
    platform: 'node',
    // Has native code beside it.
    external: ['lmdb'],
    logLevel: 'silent',
  })
  await bundle.write({
    dir: output,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[name]-[hash].js',
  })
  await bundle.close()
}
