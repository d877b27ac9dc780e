import { join } from 'node:path'
import { rolldown, type InputOptions } from 'rolldown'

const root = join(import.meta.dirname, '..')

/** Escapes what is not Latin-1: a single such character makes V8 keep two bytes for each one of its file. */
const inLatin = (code: string) =>
  code.replace(/[^\0-\xff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Bundles the command into a folder, as `kubernode.js` and what it loads when needed. */
export const bundleCommand = (folder: string): Promise<void> =>
  bundle({ kubernode: join(root, 'src/cli/main.ts') }, folder)

/** Bundles what `import 'kubernode'` gives into a folder, as `index.js` and what it loads when needed. */
export const bundleLibrary = (folder: string): Promise<void> => bundle({ index: join(root, 'src/index.ts') }, folder)

async function bundle(input: NonNullable<InputOptions['input']>, dir: string): Promise<void> {
  const made = await rolldown({
    input,
    platform: 'node',
    // Has native code beside it.
    external: ['lmdb'],
    plugins: [{ name: 'latin', renderChunk: inLatin }],
    logLevel: 'silent',
  })
  await made.write({ dir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' })
  await made.close()
}
