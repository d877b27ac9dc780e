import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../base/log.ts'
import { Listeners } from './listeners.ts'
import type { Change, StoreWatch } from './store.ts'

const change = (key: string, revision: number) => ({ type: 'put', key, revision }) as Change

test('everybody hears what is below the prefix, in order, whether it ends in a slash or within a name', () => {
  const listeners = new Listeners(silentLogger)
  const heard: Record<string, number[]> = {}
  for (const prefix of ['', '/', '/a/', '/a/b/', '/a/b', '/a/bc', '/a/b/c', '/b/']) {
    heard[prefix] = []
    listeners.add(prefix, 0, (changes) => heard[prefix]!.push(...changes.map(({ revision }) => revision)))
  }
  listeners.tell([change('/a/b/c', 1), change('/a/bcd', 2), change('/a/b', 3), change('/b/c', 4), change('c', 5)])
  assert.deepEqual(heard, {
    '': [1, 2, 3, 4, 5],
    '/': [1, 2, 3, 4],
    '/a/': [1, 2, 3],
    '/a/b/': [1],
    '/a/b': [1, 2, 3],
    '/a/bc': [2],
    '/a/b/c': [1],
    '/b/': [4],
  })
})

test('who joined later does not hear what it knows, and who has left hears nothing more, even of what is being told', () => {
  const listeners = new Listeners(silentLogger)
  const heard: string[] = []
  let second: StoreWatch | undefined
  const first = listeners.add('/a/', 0, (changes) => {
    heard.push(`first ${changes.length}`)
    second!.close()
  })
  second = listeners.add('/a/', 0, () => heard.push('second'))
  listeners.add('/a/', 2, (changes) => heard.push(`third ${changes.map(({ revision }) => revision).join()}`))
  listeners.tell([change('/a/x', 2), change('/a/y', 3)])
  assert.deepEqual(heard, ['first 2', 'third 3'])
  first.close()
  listeners.tell([change('/a/x', 4)])
  assert.deepEqual(heard.slice(2), ['third 4'])
  listeners.clear()
  listeners.tell([change('/a/x', 5)])
  assert.equal(heard.length, 3)
})

test('what a listener causes is told after what is being told', () => {
  const listeners = new Listeners(silentLogger)
  const heard: string[] = []
  listeners.add('/', 0, (changes) => {
    if (changes[0]!.revision === 1) listeners.tell([change('/b', 2)])
    heard.push(`first ${changes[0]!.revision}`)
  })
  listeners.add('/', 0, (changes) => heard.push(`second ${changes[0]!.revision}`))
  listeners.tell([change('/a', 1)])
  assert.deepEqual(heard, ['first 1', 'second 1', 'first 2', 'second 2'])
})
