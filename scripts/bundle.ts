/**
 * Bundles the command into dist/: one file and a few that are loaded when needed, instead of six hundred modules whose types must be stripped at every start.
 * Does nothing when dist/ is newer than every source. Chunks of earlier bundles stay: a cluster that runs may still load them.
 */
import { globSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bundleCommand } from './bundling.ts'

const root = join(import.meta.dirname, '..')
const output = join(root, 'dist')
const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const sources = [
  ...globSync('src/**/*.{ts,json}', { cwd: root }),
  'package.json',
  'package-lock.json',
  'scripts/bundling.ts',
].map((file) => modified(join(root, file)))
const force = process.argv.includes('--force')
if (force) rmSync(output, { recursive: true, force: true })
if (force || modified(join(output, 'kubernode.js')) < Math.max(...sources)) await bundleCommand(output)
