import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { problemCodes } from './problem.ts'
import { environmentName, settings } from './config/settings.ts'

const docs = (name: string) => readFileSync(join(import.meta.dirname, '../../docs/reference', name), 'utf8')

test('every problem is explained in the documentation, and no other', () => {
  const explained = [...docs('problems.md').matchAll(/^\| (KN-[A-Z]+-\d+) \|/gm)].map(([, code]) => code)
  assert.deepEqual(explained.sort(), Object.keys(problemCodes).sort())
})

test('every setting is in the documentation with its variable and default', () => {
  const text = docs('configuration.md')
  for (const setting of settings)
    assert.ok(
      text.includes(
        `| ${setting.path} | --${setting.flag.slice(2).split(' ')[0]} | ${environmentName(setting)} | ${String(setting.fallback)} |`,
      ),
      setting.path,
    )
})
