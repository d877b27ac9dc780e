import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthSlis } from './health-slis.ts'

test('the last result of a check is told, and how often it came out how', () => {
  const slis = new HealthSlis()
  slis.observe('livez', 'etcd', true)
  slis.observe('livez', 'etcd', false)
  slis.observe('livez', 'etcd', true)
  const text = slis.text()
  assert.match(text, /^kubernetes_healthcheck\{name="etcd",type="livez"\} 1$/m)
  assert.match(text, /^kubernetes_healthchecks_total\{name="etcd",status="success",type="livez"\} 2$/m)
  assert.match(text, /^kubernetes_healthchecks_total\{name="etcd",status="error",type="livez"\} 1$/m)
})
