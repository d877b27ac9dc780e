/**
 * The style as a test: layers, names, file sizes, docstrings, links. `npm run lint` runs it after oxlint; it prints every finding and fails when there is one.
 */
import { existsSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname, join, normalize } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What each layer may import, besides itself. Arrows go down only. */
const layers: Record<string, readonly string[]> = {
  base: [],
  api: ['base'],
  store: ['base'],
  nftables: ['base'],
  streaming: ['base'],
  client: ['base', 'api'],
  serving: ['base', 'api', 'client'],
  runtime: ['base', 'api'],
  apiserver: ['base', 'api', 'client', 'serving', 'store', 'streaming'],
  controllers: ['base', 'api', 'client', 'serving'],
  scheduler: ['base', 'api', 'client', 'serving'],
  kubelet: ['base', 'api', 'client', 'serving', 'runtime', 'streaming'],
  proxy: ['base', 'api', 'client', 'nftables'],
  network: ['base', 'api', 'client', 'nftables'],
  dns: ['base', 'api', 'client'],
  cloud: ['base', 'api', 'client'],
  cluster: [
    'base',
    'api',
    'store',
    'nftables',
    'client',
    'serving',
    'runtime',
    'apiserver',
    'controllers',
    'scheduler',
    'kubelet',
    'proxy',
    'network',
    'dns',
    'cloud',
  ],
  cli: [
    'base',
    'api',
    'client',
    'serving',
    'cluster',
    'apiserver',
    'controllers',
    'scheduler',
    'kubelet',
    'proxy',
    'runtime',
    'store',
    'nftables',
    'network',
    'dns',
    'cloud',
  ],
}

const linesMax = 500
const bannedNames = /(^|[/-])(utils?|helpers?|common|misc)(\.|\/|$)/
const bannedText: readonly [RegExp, string][] = [
  [/\b(TODO|FIXME|XXX)\b/, 'finish it, or file an issue'],
  [/oxlint-disable(?!.* -- )/, 'say why after " -- "'],
  [/@ts-(ignore|expect-error|nocheck)/, 'give it the right type'],
]

const findings: string[] = []
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))

for (const file of files) {
  const source = file.startsWith('src/') && file.endsWith('.ts')
  if (source && !file.includes('/generated/')) checkSource(file, readFileSync(join(root, file), 'utf8'))
  if (file.endsWith('.md')) checkLinks(file, readFileSync(join(root, file), 'utf8'))
}

if (findings.length > 0) {
  process.stdout.write(`${findings.join('\n')}\ntidy: ${findings.length} findings\n`)
  process.exitCode = 1
} else process.stdout.write(`tidy: ${files.length} files, nothing to say\n`)

function checkSource(file: string, text: string): void {
  const lines = text.split('\n')
  const test = isTest(file)
  if (bannedNames.test(file)) findings.push(`${file}: this name says nothing; name what it holds`)
  if (lines.length > linesMax && !test && !/^\/\*\*?[^]*?Long because/.test(text))
    findings.push(
      `${file}: ${lines.length} lines (at most ${linesMax}): one concept a file, or a first comment with "Long because …"`,
    )
  lines.forEach((line, i) => {
    for (const [pattern, instead] of bannedText)
      if (pattern.test(line)) findings.push(`${file}:${i + 1}: ${pattern.source}: ${instead}`)
    if (
      !test &&
      /^export (default )?(async )?(abstract )?(const|function\*?|class|interface|type) \w/.test(line) &&
      !documented(lines, i)
    )
      findings.push(`${file}:${i + 1}: exported without a docstring`)
  })
  checkLayers(file, text)
}

/** Whether the line before (or the one before a run of related one-liners) ends a comment. */
function documented(lines: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i]!.trim()
    if (line.endsWith('*/') || line.startsWith('//')) return true
    if (line === '' || !line.startsWith('export ')) return false
  }
  return false
}

function checkLayers(file: string, text: string): void {
  const layer = layerOf(file)
  if (layer === undefined || isTest(file)) return
  const allowed = layers[layer]
  if (!allowed) return void findings.push(`${file}: the layer ${layer} is not in scripts/tidy.ts`)
  for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = layerOf(normalize(join(dirname(file), path!)))
    if (target !== undefined && target !== layer && !allowed.includes(target))
      findings.push(`${file}: ${layer} may not import ${target} (${path})`)
  }
}

/** Tests, and what only tests use, may reach for anything. */
function isTest(file: string): boolean {
  return /\.test\.ts$|\.test-support\.ts$|\/testing\/|\/contract\.ts$/.test(file)
}

/** 'src/api/kind.ts' → 'api'; undefined for the package's entry points. */
function layerOf(file: string): string | undefined {
  const [src, layer, ...rest] = file.split('/')
  return src === 'src' && rest.length > 0 ? layer : undefined
}

function checkLinks(file: string, text: string): void {
  for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (/^[a-z]+:/.test(target!)) continue
    if (!existsSync(join(root, dirname(file), target!))) findings.push(`${file}: the link ${target} leads nowhere`)
  }
}
