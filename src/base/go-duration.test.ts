import assert from 'node:assert/strict'
import test from 'node:test'
import { goDurationMs } from './go-duration.ts'

for (const [text, ms] of [
  ['0', 0],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['100ms', 100],
  ['1.5s', 1500],
  ['.5m', 30_000],
  ['2.s', 2000],
  ['500us', 0.5],
  ['500µs', 0.5],
  ['-2m', -120_000],
  ['+2m', 120_000],
  ['', undefined],
  ['5', undefined],
  ['10 seconds', undefined],
  ['1h 30m', undefined],
  ['1d', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['--1s', undefined],
] as const)
  test(`'${text}' is ${ms === undefined ? 'no duration' : `${ms} ms`}`, () => assert.equal(goDurationMs(text), ms))
