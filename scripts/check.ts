/**
 * `npm run check`: everything that is not a test – types, lint, layers and style, dead code, generated files – each a line, all of them run even when one
 * fails. Ends with a count.
 */
import { spawnSync } from 'node:child_process'

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['lint', 'oxlint', 'src', 'test', 'scripts', 'bench', 'examples'],
  ['layers and style', 'node', 'scripts/tidy.ts'],
  ['layout', 'oxfmt', '--check', 'src', 'test', 'scripts', 'bench', 'examples'],
  ['dead code', 'knip'],
  ['generated files', 'node', 'scripts/generate/main.ts', '--verify'],
]

let failed = 0
for (const [name, command, ...args] of checks) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  const ok = status === 0
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}\n`)
  if (!ok) {
    failed++
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`)
  }
}
process.stdout.write(`${checks.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0
