import assert from 'node:assert/strict'
import test from 'node:test'
import { withoutAliases } from './aliases.ts'

for (const [typed, meant] of [
  ['create cluster --name dev', 'up --name dev'],
  ['cluster stop dev', 'down dev'],
  ['delete clusters --all', 'delete --all'],
  ['load image-archive a.tar', 'image load a.tar'],
  ['up cluster', 'up cluster'],
  ['delete dev', 'delete dev'],
  ['', ''],
] as const)
  test(`'${typed}' means '${meant}'`, () => {
    assert.deepEqual(withoutAliases(typed.split(' ')), meant.split(' '))
  })
