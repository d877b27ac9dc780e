import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import protobuf from 'protobufjs/light.js'
import type { Kind } from '../kind.ts'
import { newKindTable } from '../table.ts'
import { OpenApiDocuments } from './documents.ts'
import { encodeOpenApiV2 } from './v2-protobuf.ts'

const facts = (name: string) => JSON.parse(readFileSync(new URL(`../../../facts/${name}`, import.meta.url), 'utf8'))
const version = 'v1.35.4'
const documents = new OpenApiDocuments({ table: newKindTable([]), version })

interface Operation {
  operationId: string
  'x-kubernetes-action'?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }
  parameters?: { name: string; in: string }[]
}
interface V2 {
  paths: Record<string, Record<string, Operation> & { parameters: { name: string }[] }>
  definitions: Record<string, { properties?: Record<string, Record<string, unknown>>; [key: string]: unknown }>
}
const v2 = () => JSON.parse(documents.v2().body.toString()) as V2

type TypeFact = string | [TypeFact] | { map: TypeFact }

/** A type of the facts as OpenAPI v2 writes it. */
function typeOf(fact: TypeFact): object {
  if (Array.isArray(fact)) return { type: 'array', items: typeOf(fact[0]) }
  if (typeof fact === 'object') return { type: 'object', additionalProperties: typeOf(fact.map) }
  if (fact.startsWith('io.k8s.')) return { $ref: `#/definitions/${fact}` }
  const [type, format] = fact.split(':')
  return { type, ...(format && { format }) }
}

test('the published definitions are those of the facts', () => {
  const { definitions } = v2()
  const known = facts('kubernetes-api.json').definitions as Record<
    string,
    {
      properties?: Record<string, Record<string, unknown> & { type: TypeFact }>
      'x-kubernetes-map-type'?: string
      'x-kubernetes-unions'?: unknown
    }
  >
  // The facts are of a newer build: what upstream's 1.35 types lack is not published, and one field of theirs is not in the facts.
  const tags = facts('json-tags.json') as Record<string, Record<string, unknown>>
  let compared = 0
  for (const [id, published] of Object.entries(definitions)) {
    const fact = known[id]
    if (!fact) {
      assert.ok(tags[id], `${id} is neither in the facts nor in the types`)
      continue
    }
    assert.equal(published['x-kubernetes-map-type'], fact['x-kubernetes-map-type'], id)
    assert.deepEqual(published['x-kubernetes-unions'], fact['x-kubernetes-unions'], id)
    for (const [name, field] of Object.entries(fact.properties ?? {})) {
      if (!tags[id]?.[name]) continue
      const { type, ...extras } = field
      const wanted = {
        ...typeOf(type),
        ...Object.fromEntries(Object.entries(extras).map(([key, value]) => [`x-kubernetes-${key}`, value])),
      }
      // What fields are for is our own text.
      const { 'x-kubernetes-list-type': listType, description: _description, ...got } = published.properties![name]!
      assert.deepEqual(
        { ...got, ...(listType !== undefined && { 'x-kubernetes-list-type': listType }) },
        withoutBytesListType(wanted),
        `${id}.${name}`,
      )
      compared++
    }
  }
  assert.ok(compared > 2300, `only ${compared} fields compared`)
})

/** One field of bytes is marked as a list upstream; it is none. */
function withoutBytesListType(wanted: object): object {
  const { 'x-kubernetes-list-type': listType, ...rest } = wanted as {
    'x-kubernetes-list-type'?: unknown
    format?: string
  }
  return rest.format === 'byte' || listType === undefined ? rest : wanted
}

test('every path of the facts that is served has its actions', () => {
  const { paths } = v2()
  const known = facts('kubernetes-api.json').paths as Record<string, { actions: string[] }>
  const table = newKindTable([])
  for (const [path, fact] of Object.entries(known)) {
    const [, root, group = '', groupVersion = ''] = path.split('/')
    const served = root === 'api' ? table.group('') : table.group(group)
    if (!served?.versions.includes(root === 'api' ? group : groupVersion) || path.includes('mutatingadmissionpolic'))
      continue
    const operations = Object.entries(paths[path] ?? {}).filter(([method]) => method !== 'parameters')
    const actions = new Set(operations.map(([, operation]) => (operation as Operation)['x-kubernetes-action']))
    for (const action of fact.actions) assert.ok(actions.has(action) || actions.has('connect'), `${path}: ${action}`)
  }
})

test('operations have different ids', () => {
  const ids = Object.values(v2().paths).flatMap((item) =>
    Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .map(([, operation]) => (operation as Operation).operationId),
  )
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(
    ids.includes('listAppsV1NamespacedDeployment') &&
      ids.includes('connectCoreV1GetNamespacedPodExec') &&
      ids.includes('patchRbacAuthorizationV1ClusterRole'),
  )
})

test('kubectl finds field validation in the parameters of a patch', () => {
  const { paths } = JSON.parse(documents.v3('apis/apps/v1')!.body.toString()) as V2
  const patch = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']!['patch']!
  assert.ok(patch.parameters?.some(({ name, in: where }) => name === 'fieldValidation' && where === 'query'))
  assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: 'apps', kind: 'Deployment', version: 'v1' })
})

test('the index lists each document, with a hash that does not change', () => {
  const { paths } = documents.v3Index() as { paths: Record<string, { serverRelativeURL: string }> }
  assert.deepEqual(documents.v3Index(), { paths })
  assert.match(paths['apis/apps/v1']!.serverRelativeURL, /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/)
  for (const name of Object.keys(paths))
    assert.equal((JSON.parse(documents.v3(name)!.body.toString()) as { openapi: string }).openapi, '3.0.0')
  assert.equal(documents.v3('apis/nothing/v1'), undefined)
})

test('every reference of a document leads to a definition in it', () => {
  for (const name of ['api/v1', 'apis/apiextensions.k8s.io/v1', 'version']) {
    const text = documents.v3(name)!.body.toString()
    const { components } = JSON.parse(text) as { components: { schemas: object } }
    for (const [, id] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(Object.hasOwn(components.schemas, id!), `${name}: ${id}`)
  }
})

test('custom kinds are in the documents as long as they are in the table', () => {
  const table = newKindTable([])
  const base = table.byResource('apps', 'v1', 'deployments')!
  const widget: Kind = {
    ...base,
    custom: true,
    resource: { group: 'stable.example.test', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true },
    listKind: 'WidgetList',
    subresources: [],
  }
  const schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
          nullable: { type: 'string', nullable: true },
        },
      },
    },
  }
  const own = new OpenApiDocuments({ table, version, customSchema: () => schema })
  assert.equal(own.v3('apis/stable.example.test/v1'), undefined)
  table.add(widget)
  const document = JSON.parse(own.v3('apis/stable.example.test/v1')!.body.toString()) as {
    components: { schemas: V2['definitions'] }
    paths: V2['paths']
  }
  const id = 'test.example.stable.v1.Widget'
  assert.deepEqual(document.components.schemas[id]!['x-kubernetes-group-version-kind'], [
    { group: 'stable.example.test', kind: 'Widget', version: 'v1' },
  ])
  assert.deepEqual(document.components.schemas[id]!.properties!['spec'], schema.properties.spec)
  assert.equal(
    document.paths['/apis/stable.example.test/v1/namespaces/{namespace}/widgets/{name}']!['patch']!.operationId,
    'patchStableExampleTestV1NamespacedWidget',
  )
  const old = JSON.parse(own.v2().body.toString()) as V2
  assert.deepEqual(old.definitions[id]!.properties!['spec'], {
    type: 'object',
    properties: { size: { 'x-kubernetes-int-or-string': true }, nullable: { type: 'string' } },
  })
  table.remove(widget.resource)
  assert.equal(own.v3('apis/stable.example.test/v1'), undefined)
})

test('the protobuf form holds the same document', () => {
  const document = documents.v2Value()
  const root = protobuf.Root.fromJSON(facts('openapi-v2.protobuf.json'))
  const type = root.lookupType('openapi.v2.Document')
  interface Schema {
    required?: string[]
    type?: { value: string[] }
    properties?: { additionalProperties: { name: string; value: Schema }[] }
    vendorExtension?: { name: string; value: { yaml: string } }[]
    items?: { schema: Schema[] }
    _ref?: string
  }
  type Parameter = {
    parameter: {
      nonBodyParameter?: {
        queryParameterSubSchema?: { name: string; type: string; uniqueItems: boolean }
        pathParameterSubSchema?: { name: string; required: boolean; uniqueItems: boolean }
      }
      bodyParameter?: { name: string; required: boolean; schema: Schema }
    }
  }
  const read = camelCase(type.toObject(type.decode(encodeOpenApiV2(document)))) as {
    swagger: string
    definitions: { additionalProperties: { name: string; value: Schema }[] }
    paths: {
      path: {
        name: string
        value: {
          post: {
            operationId: string
            parameters: Parameter[]
            vendorExtension: { name: string; value: { yaml: string } }[]
            responses: { responseCode: { name: string; value: { response: { schema: { schema: Schema } } } }[] }
          }
          parameters: Parameter[]
        }
      }[]
    }
  }
  assert.equal(read.swagger, '2.0')
  const definition = (id: string) => read.definitions.additionalProperties.find(({ name }) => name === id)!.value
  assert.equal(read.definitions.additionalProperties.length, Object.keys(document['definitions'] as object).length)
  const spec = definition('io.k8s.api.core.v1.PodSpec')
  assert.deepEqual(spec.required, ['containers'])
  const containers = spec.properties!.additionalProperties.find(({ name }) => name === 'containers')!.value
  assert.deepEqual(containers.type?.value, ['array'])
  assert.equal(containers.items?.schema[0]?._ref, '#/definitions/io.k8s.api.core.v1.Container')
  assert.equal(
    containers.vendorExtension?.find(({ name }) => name === 'x-kubernetes-patch-merge-key')?.value.yaml,
    '"name"',
  )
  const pods = read.paths.path.find(({ name }) => name === '/api/v1/namespaces/{namespace}/pods')!.value
  assert.equal(pods.post.operationId, 'createCoreV1NamespacedPod')
  assert.equal(pods.post.parameters[0]?.parameter.bodyParameter?.schema._ref, '#/definitions/io.k8s.api.core.v1.Pod')
  assert.ok(
    pods.post.parameters.some(
      ({ parameter }) =>
        parameter.nonBodyParameter?.queryParameterSubSchema?.name === 'fieldValidation' &&
        parameter.nonBodyParameter.queryParameterSubSchema.uniqueItems,
    ),
  )
  assert.ok(
    pods.parameters.some(
      ({ parameter }) =>
        parameter.nonBodyParameter?.pathParameterSubSchema?.name === 'namespace' &&
        parameter.nonBodyParameter.pathParameterSubSchema.uniqueItems,
    ),
  )
  assert.equal(pods.post.vendorExtension.find(({ name }) => name === 'x-kubernetes-action')?.value.yaml, '"post"')
  assert.equal(
    pods.post.responses.responseCode[0]?.value.response.schema.schema._ref,
    '#/definitions/io.k8s.api.core.v1.Pod',
  )
})

/** The descriptor's names have underscores. */
function camelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCase)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/(?<=.)_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      camelCase(inner),
    ]),
  )
}
