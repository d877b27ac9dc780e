import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestInfoOf } from './request-info.ts'

for (const [method, path, watch, want] of [
  ['GET', '/api/v1/namespaces/ns/pods/web', false, 'get //v1 ns pods web'],
  ['GET', '/api/v1/namespaces/ns/pods', false, 'list //v1 ns pods '],
  ['GET', '/api/v1/pods', true, 'watch //v1  pods '],
  ['GET', '/api/v1/watch/namespaces/ns/pods', false, 'watch //v1 ns pods '],
  ['DELETE', '/apis/apps/v1/namespaces/ns/deployments', false, 'deletecollection /apps/v1 ns deployments '],
  ['PUT', '/apis/apps/v1/namespaces/ns/deployments/web/scale', false, 'update /apps/v1 ns deployments web/scale'],
  ['GET', '/api/v1/namespaces/ns', false, 'get //v1 ns namespaces ns'],
  ['PUT', '/api/v1/namespaces/ns/finalize', false, 'update //v1 ns namespaces ns/finalize'],
  ['GET', '/api/v1/namespaces/ns/status', false, 'get //v1 ns namespaces ns/status'],
  ['GET', '/api/v1/namespaces', false, 'list //v1  namespaces '],
  ['POST', '/api/v1/namespaces/ns/pods/web/exec', false, 'create //v1 ns pods web/exec'],
  ['PATCH', '/api/v1/nodes/n/status', false, 'patch //v1  nodes n/status'],
] as const) {
  test(`${method} ${path}${watch ? ' (watch)' : ''} is read`, () => {
    const { isResource, verb, group, version, namespace, resource, name, subresource } = requestInfoOf(
      method,
      path,
      watch,
      '',
    )
    assert.ok(isResource)
    assert.equal(
      `${verb} /${group}/${version} ${namespace} ${resource} ${name}${subresource && `/${subresource}`}`,
      want,
    )
  })
}

for (const path of [
  '/',
  '/version',
  '/api',
  '/api/v1',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/healthz/ping',
  '/api//v1/pods/x',
]) {
  test(`${path} is no resource`, () => assert.equal(requestInfoOf('GET', path, false, '').isResource, false))
}

test('what follows a proxied name keeps its slashes', () => {
  assert.equal(requestInfoOf('GET', '/api/v1/namespaces/ns/services/web/proxy/a/b/', false, '').rest, '/a/b/')
})
