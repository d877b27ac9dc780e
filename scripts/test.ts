/**
 * `npm test`: every test beside the sources and in test/, and at the end one line that counts. Tests that need root, Linux or a system package say why they
 * were skipped. Arguments choose files: `npm test -- src/store`.
 */
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { availableParallelism } from 'node:os'

const chosen = process.argv.slice(2)
const all = globSync(['src/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'])
const files = all
  .filter((file) => chosen.length === 0 || chosen.some((part) => file.startsWith(part) || file === part))
  .sort()
if (files.length === 0) {
  process.stderr.write(`no test files match ${chosen.join(' ')}\n`)
  process.exit(2)
}

// Tests of what touches Linux need the programs that nodes need.
if (process.platform === 'linux' && process.getuid?.() === 0) {
  const { installMissing } = await import('../src/cluster/host/packages.ts')
  await installMissing((packages) => process.stderr.write(`installing ${packages.join(' ')}\n`))
}

/** Tests with real containers share the machine's network and disk: one file at a time, after the others. */
const needsMachine = (file: string) => file.startsWith('test/')

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const [group, concurrency] of [
  [files.filter((file) => !needsMachine(file)), availableParallelism()],
  [files.filter(needsMachine), 1],
] as const) {
  if (group.length > 0) await runFiles(group, concurrency)
}
process.stdout.write(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}\n`,
)
process.exitCode = counts.failed > 0 ? 1 : 0

async function runFiles(group: readonly string[], concurrency: number): Promise<void> {
  const stream = run({ files: [...group], concurrency })
  stream.on('test:fail', (data) => {
    if (data.details.type !== 'suite') counts.failed++
  })
  stream.on('test:pass', (data) => {
    if (data.details.type === 'suite' || isWholeFile(data.name)) return
    if (data.skip) counts.skipped++
    else counts.passed++
  })
  const report = stream.compose(spec)
  for await (const chunk of report) process.stdout.write(String(chunk))
}

/** The runner reports each file as a test of its own name as well. */
function isWholeFile(name: string): boolean {
  return name.endsWith('.test.ts')
}
