import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanDuration } from './duration.ts'

test('durations are shown in two figures, as kubectl shows them', () => {
  const s = 1000
  const m = 60 * s
  const h = 60 * m
  const d = 24 * h
  const y = 365 * d
  const shown: [number, string][] = [
    [-3 * s, '<invalid>'],
    [-1.9 * s, '0s'],
    [0, '0s'],
    [119.9 * s, '119s'],
    [2 * m, '2m'],
    [5 * m + 30 * s, '5m30s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 59 * m, '7h59m'],
    [8 * h + 59 * m, '8h'],
    [47 * h, '47h'],
    [2 * d, '2d'],
    [2 * d + 3 * h, '2d3h'],
    [8 * d + 3 * h, '8d'],
    [729 * d, '729d'],
    [2 * y, '2y'],
    [2 * y + 10 * d, '2y10d'],
    [8 * y + 10 * d, '8y'],
  ]
  for (const [ms, text] of shown) assert.equal(humanDuration(ms), text)
})
