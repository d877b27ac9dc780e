/**
 * Bundles the command into dist/: one file and a few that are loaded when needed, instead of six hundred modules whose types must be stripped at every start.
 * Does nothing when dist/ is newer than every source. Chunks of earlier bundles stay: a cluster that runs may still load them.
 */
import { globSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Escapes what is not Latin-1: a single such character makes V8 keep two bytes for each one of its file. */
const inLatin = (code: string) =>
  code.replace(/[^\0-\xff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

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
    plugins: [{ name: 'latin', renderChunk: inLatin }],
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
