import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ApiError } from '../../api/errors/api-error.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Outbound } from '../outbound/post-json.ts'
import type { ApiRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { startTestServer, type TestServer } from '../server.test-support.ts'
import { customKinds } from './custom-kind.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const widgets = '/apis/example.test/v1/namespaces/default/widgets'

const version = (name: string, spec: object, more: object = {}): object => ({
  name,
  served: true,
  storage: true,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: spec },
        status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
  ...more,
})

const definition = (versions: object[], names: object = {}): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.test' },
  spec: {
    group: 'example.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', ...names },
    versions,
  },
})

const widget = (name: string, spec: object, apiVersion = 'example.test/v1'): object => ({
  apiVersion,
  kind: 'Widget',
  metadata: { name },
  spec,
})

/** A server that serves widgets. */
async function serving(t: TestContext, versions: object[]): Promise<TestServer> {
  const test = await startTestServer(t)
  await test.send('POST', definitions, definition(versions))
  await established(test)
  return test
}

const established = async ({ send, clock }: TestServer): Promise<void> => {
  for (let i = 0; i < 100; i++) {
    const { status } = (await send('GET', `${definitions}/widgets.example.test`)) as unknown as {
      status?: { conditions?: { type: string; status: string }[] }
    }
    if (status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True')) return
    await clock.advance(10)
  }
  assert.fail('the definition was not established')
}

const refused = (code: number, text: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.code === code && text.test(error.message)

test('objects are pruned, defaulted and validated by the schema of their kind', async (t) => {
  const { send } = await serving(t, [version('v1', { size: { type: 'integer', default: 3, maximum: 9 } })])
  const made = await send('POST', widgets, widget('a', { colour: 'red' }))
  assert.deepEqual(made.spec, { size: 3 })
  await assert.rejects(
    send('POST', widgets, widget('b', { size: 10 })),
    refused(422, /spec\.size in body should be less than or equal to 9/),
  )
  await assert.rejects(
    send('POST', `${widgets}`, widget('c', { colour: 'red' }), { query: { fieldValidation: 'Strict' } }),
    refused(400, /unknown field "spec\.colour"/),
  )
})

test('a version shows what it has of what another version stored', async (t) => {
  const { send } = await serving(t, [
    version('v1', { a: { type: 'string' }, b: { type: 'string' } }),
    version('v2', { b: { type: 'string' } }, { storage: false }),
  ])
  await send('POST', widgets, widget('a', { a: 'x', b: 'y' }))
  const shown = await send('GET', widgets.replace('v1', 'v2') + '/a')
  assert.equal(shown.apiVersion, 'example.test/v2')
  assert.deepEqual(shown.spec, { b: 'y' })
})

test('the status is written by itself, and only what is not metadata counts for the generation', async (t) => {
  const { send } = await serving(t, [version('v1', { a: { type: 'string' } }, { subresources: { status: {} } })])
  const made = await send('POST', widgets, { ...widget('a', { a: 'x' }), status: { ready: true } })
  assert.equal(made.status, undefined)
  const told = await send('PUT', `${widgets}/a/status`, { ...made, spec: { a: 'other' }, status: { ready: true } })
  assert.deepEqual([told.spec, told.status, told.metadata.generation], [{ a: 'x' }, { ready: true }, 1])
  const changed = await send('PUT', `${widgets}/a`, { ...told, spec: { a: 'y' } })
  assert.deepEqual([changed.status, changed.metadata.generation], [{ ready: true }, 2])
})

test('a definition that wants a name that is taken says so, and gets it when it is free', async (t) => {
  const server = await serving(t, [version('v1', {})])
  const { send, clock } = server
  const second = {
    ...definition([version('v1', {})], { plural: 'gadgets', kind: 'Widget' }),
    metadata: { name: 'gadgets.example.test' },
  }
  await send('POST', definitions, second)
  await clock.advance(100)
  const conditionsOf = async () =>
    (
      (await send('GET', `${definitions}/gadgets.example.test`)).status as unknown as {
        conditions: { type: string; status: string; reason: string }[]
      }
    ).conditions
  assert.deepEqual(
    (await conditionsOf()).map(({ type, status, reason }) => [type, status, reason]),
    [
      ['NamesAccepted', 'False', 'ListKindConflict'],
      ['Established', 'False', 'NotAccepted'],
    ],
  )
  await send('DELETE', `${definitions}/widgets.example.test`)
  await clock.advance(2000)
  assert.deepEqual(
    (await conditionsOf()).map(({ type, status }) => [type, status]),
    [
      ['NamesAccepted', 'True'],
      ['Established', 'True'],
    ],
  )
})

test('the objects go with their definition, and their path with them', async (t) => {
  const { send, clock, server } = await serving(t, [version('v1', {})])
  await send('POST', widgets, widget('a', {}))
  await send('POST', widgets, { ...widget('kept', {}), metadata: { name: 'kept', finalizers: ['example.test/wait'] } })
  await send('DELETE', `${definitions}/widgets.example.test`)
  await clock.advance(1000)
  // One of them waits for somebody else.
  assert.deepEqual(
    (await send('GET', widgets)).items.map(({ metadata }) => metadata.name),
    ['kept'],
  )
  await assert.rejects(
    send('POST', widgets, widget('late', {})),
    refused(403, /create not allowed while custom resource definition is terminating/),
  )
  await send(
    'PATCH',
    `${widgets}/kept`,
    { metadata: { finalizers: null } },
    { contentType: 'application/merge-patch+json' },
  )
  await clock.advance(6000)
  assert.equal(server.kinds.byResource('example.test', 'v1', 'widgets'), undefined)
  await assert.rejects(send('GET', `${definitions}/widgets.example.test`), refused(404, /not found/))
})

test('a group that is served is an API service', async (t) => {
  const { send, clock } = await serving(t, [version('v1', {})])
  await clock.advance(10)
  const service = await send('GET', '/apis/apiregistration.k8s.io/v1/apiservices/v1.example.test')
  assert.equal(service.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'], 'true')
})

test('of a version that the definition lacks no field is known', async () => {
  const { served } = customKinds(
    definition([version('v1', { size: { type: 'integer' } })]) as Frozen<CustomResourceDefinition>,
    {} as Outbound,
  )
  const warnings: string[] = []
  const request = {
    contentType: undefined,
    warnings,
    body: () => Promise.resolve({ value: widget('a', { size: 1 }, 'example.test/v3') }),
  } as unknown as ApiRequest
  await assert.rejects(decodeBody(request, served[0]!, 'Warn'), refused(400, /does not match the expected API version/))
  assert.deepEqual(warnings, ['unknown field "spec"'])
})
