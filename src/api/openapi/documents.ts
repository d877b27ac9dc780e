import { createHash } from 'node:crypto'
import type { Kind } from '../kind.ts'
import type { KindTable } from '../table.ts'
import {
  definitionId,
  groupPath,
  listDefinitionId,
  pathsOf,
  serverPaths,
  versionPath,
  type BodyType,
  type Operation,
  type Parameter,
  type PathItem,
} from './operations.ts'
import { DefinitionWriter, kindsByDefinition, type Json, type OpenApiVersion } from './schemas.ts'

/** What the documents are made from. */
export interface OpenApiOptions {
  readonly table: KindTable
  /** The server's version, shown in `info`: 'v1.35.4'. */
  readonly version: string
  /** The OpenAPI v3 schema that a custom kind was declared with; without one its objects are `type: object`. */
  readonly customSchema?: (kind: Kind) => object | undefined
}

/** A document ready to be sent. */
export interface Document {
  readonly body: Buffer
  /** Of the content: the ETag's value without quotes. */
  readonly hash: string
}

/**
 * The OpenAPI documents of a table of kinds. Each is built when it is first asked for and kept until the table changes; the built-in groups never do.
 */
export class OpenApiDocuments {
  readonly #options: OpenApiOptions
  #revision = -1
  #v2: Document | undefined
  #v2Protobuf: Uint8Array | undefined
  readonly #v3 = new Map<string, Document>()

  constructor(options: OpenApiOptions) {
    this.#options = options
  }

  /** GET /openapi/v2 as JSON. */
  v2(): Document {
    this.#refresh()
    return (this.#v2 ??= documentOf(this.v2Value()))
  }

  /** GET /openapi/v2 in the protobuf form, which `encode` (of v2-protobuf.ts) makes. */
  v2Protobuf(encode: (document: Json) => Uint8Array): Uint8Array {
    this.#refresh()
    return (this.#v2Protobuf ??= encode(this.v2Value()))
  }

  /** The same before it is text. */
  v2Value(): Json {
    const { table, version } = this.#options
    const writer = new DefinitionWriter('v2', kindsByDefinition(table.all()))
    const paths = [
      ...Object.values(serverPaths).flat(),
      ...table
        .groups()
        .flatMap(({ name, versions }) => [
          ...(name ? [groupPath(name)] : []),
          ...versions.flatMap((v) => this.#paths(name, v)),
        ]),
    ]
    const rendered = this.#render('v2', paths, writer)
    return {
      swagger: '2.0',
      info: { title: 'Kubernetes', version },
      paths: rendered,
      definitions: writer.definitions,
      securityDefinitions: {
        BearerToken: {
          description: 'Bearer Token authentication',
          type: 'apiKey',
          name: 'authorization',
          in: 'header',
        },
      },
      security: [{ BearerToken: [] }],
    }
  }

  /** GET /openapi/v3: where the documents are. Their hashes are of what they are made from, so that asking for the list builds none. */
  v3Index(): Json {
    this.#refresh()
    return {
      paths: Object.fromEntries(
        this.#names().map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${this.v3Hash(name)}` }]),
      ),
    }
  }

  /** The hash under which the index lists a document. */
  v3Hash(name: string): string {
    const { table, version, customSchema } = this.#options
    const [group, v] = groupVersionOf(name)
    const kinds = table.kindsOf(group, v).filter((kind) => kind.custom)
    const custom = kinds.map((kind) => [kind.resource, kind.verbs, kind.subresources, customSchema?.(kind)])
    return createHash('sha512')
      .update(JSON.stringify([version, name, custom]))
      .digest('hex')
      .toUpperCase()
  }

  /** GET /openapi/v3/NAME ('api/v1', 'apis/apps/v1', 'version'); undefined when there is none. */
  v3(name: string): Document | undefined {
    this.#refresh()
    const known = this.#v3.get(name)
    if (known) return known
    if (!this.#names().includes(name)) return undefined
    const made = documentOf(this.v3Value(name))
    this.#v3.set(name, made)
    return made
  }

  /** The same before it is text. */
  v3Value(name: string): Json {
    const { table, version } = this.#options
    const [group, v] = groupVersionOf(name)
    const paths = serverPaths[name] ?? (v ? this.#paths(group, v) : [groupPath(group)])
    const writer = new DefinitionWriter('v3', kindsByDefinition(table.all()))
    const rendered = this.#render('v3', paths, writer)
    // Upstream's older watch paths, which are not listed here, refer to it.
    if (paths.some(({ operations }) => operations.some(({ action }) => action === 'list')))
      writer.ref('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent')
    return {
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version },
      paths: rendered,
      components: {
        ...(Object.keys(writer.definitions).length > 0 && { schemas: writer.definitions }),
        securitySchemes: {
          BearerToken: {
            description: 'Bearer Token authentication',
            type: 'apiKey',
            name: 'authorization',
            in: 'header',
          },
        },
      },
    }
  }

  #refresh(): void {
    if (this.#revision === this.#options.table.revision) return
    this.#revision = this.#options.table.revision
    this.#v2 = undefined
    this.#v2Protobuf = undefined
    this.#v3.clear()
  }

  #names(): string[] {
    const groups = this.#options.table
      .groups()
      .flatMap(({ name, versions }) =>
        name ? [`apis/${name}`, ...versions.map((v) => `apis/${name}/${v}`)] : versions.map((v) => `api/${v}`),
      )
    return [...Object.keys(serverPaths), ...groups].sort()
  }

  #paths(group: string, version: string): PathItem[] {
    return [versionPath(group, version), ...this.#options.table.kindsOf(group, version).flatMap(pathsOf)]
  }

  #render(version: OpenApiVersion, items: readonly PathItem[], writer: DefinitionWriter): Json {
    const customIds = this.#customDefinitions(version, writer)
    const ref = (type: BodyType): Json =>
      type === 'string' ? { type: 'string' } : (customIds.get(type.id)?.() ?? writer.ref(type.id))
    const out: Json = {}
    for (const { path, operations } of [...items].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const shared = sharedParameters(operations)
      const render = version === 'v2' ? renderV2 : renderV3
      out[path] = {
        ...Object.fromEntries(operations.map((operation) => [operation.method, render(operation, shared, ref)])),
        ...(shared.length > 0 && { parameters: shared.map((parameter) => parameterOf(version, parameter)) }),
      }
    }
    return out
  }

  /** How references to custom kinds and their lists are made. */
  #customDefinitions(version: OpenApiVersion, writer: DefinitionWriter): Map<string, () => Json> {
    const out = new Map<string, () => Json>()
    for (const kind of this.#options.table.all()) {
      if (!kind.custom) continue
      const { group, version: groupVersion, kind: name } = kind.resource
      const gvk = (listed: string) => ({
        'x-kubernetes-group-version-kind': [{ group, kind: listed, version: groupVersion }],
      })
      const id = definitionId(kind)
      const declared = () => {
        const schema = this.#options.customSchema?.(kind) as Json | undefined
        return schema && version === 'v2' ? (inV2(schema) as Json) : schema
      }
      const object = () => writer.refTo(id, () => ({ ...customDefinition(declared(), writer, version), ...gvk(name) }))
      out.set(id, object)
      out.set(listDefinitionId(kind), () =>
        writer.refTo(listDefinitionId(kind), () => ({
          type: 'object',
          required: ['items'],
          properties: {
            apiVersion: { type: 'string' },
            items: { type: 'array', items: object() },
            kind: { type: 'string' },
            metadata: writer.ref('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'),
          },
          ...gvk(kind.listKind),
        })),
      )
    }
    return out
  }
}

/** What OpenAPI v2 has no word for, or reads otherwise. */
const notInV2 = new Set(['oneOf', 'anyOf', 'allOf', 'not', 'nullable', 'default', 'additionalItems', 'id', '$schema'])

/** A declared schema without what only OpenAPI v3 can say; where such a part decides the type, any value is allowed. */
function inV2(schema: unknown, named = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => inV2(item))
  if (typeof schema !== 'object' || schema === null) return schema
  const json = schema as Json
  const kept = Object.entries(json).filter(([key]) => named || !notInV2.has(key))
  const free =
    !named && (json['x-kubernetes-int-or-string'] === true || json['x-kubernetes-preserve-unknown-fields'] === true)
  return Object.fromEntries(
    kept
      .filter(([key]) => !free || (key !== 'type' && key !== 'properties' && key !== 'items'))
      .map(([key, value]) => [key, inV2(value, !named && key === 'properties')]),
  )
}

/** What every object's own fields are for. */
const ownFields = {
  apiVersion: {
    type: 'string',
    description: 'APIVersion defines which version of its group this object is written in.',
  },
  kind: { type: 'string', description: 'Kind is the name of what this object is an instance of.' },
}

const metadataText = "Standard object's metadata: its name, labels, owners."

/** A declared schema with what every object has. Where all is allowed, OpenAPI v2 says nothing more. */
function customDefinition(schema: Json | undefined, writer: DefinitionWriter, version: OpenApiVersion): Json {
  if (version === 'v2' && (!schema || schema['x-kubernetes-preserve-unknown-fields'] === true))
    return { type: 'object' }
  const declared = schema ?? { 'x-kubernetes-preserve-unknown-fields': true }
  const meta = writer.ref('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
  return {
    ...declared,
    type: 'object',
    properties: {
      ...(declared['properties'] as Json | undefined),
      ...ownFields,
      metadata:
        version === 'v2' ? { ...meta, description: metadataText } : { allOf: [meta], description: metadataText },
    },
  }
}

function groupVersionOf(name: string): [group: string, version: string] {
  const [root, first = '', second = ''] = name.split('/')
  return root === 'api' ? ['', first] : [first, second]
}

function documentOf(value: Json): Document {
  const body = Buffer.from(JSON.stringify(value))
  return { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() }
}

/** What all methods of a path take stands beside them. */
function sharedParameters(operations: readonly Operation[]): Parameter[] {
  const [first, ...rest] = operations
  if (!first) return []
  const same = (a: Parameter) => (b: Parameter) => a.name === b.name && a.in === b.in
  return first.parameters
    .filter((parameter) => rest.every((operation) => operation.parameters.some(same(parameter))))
    .sort(byName)
}

const byName = (a: Parameter, b: Parameter): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

function ownParameters(operation: Operation, shared: readonly Parameter[]): Parameter[] {
  return operation.parameters
    .filter((parameter) => !shared.some(({ name, in: where }) => name === parameter.name && where === parameter.in))
    .sort(byName)
}

function parameterOf(version: OpenApiVersion, { name, in: where, type }: Parameter): Json {
  const required = where === 'path' && { required: true }
  return version === 'v2'
    ? { in: where, name, ...required, type, uniqueItems: true }
    : { in: where, name, ...required, schema: { type, uniqueItems: true } }
}

const descriptions: Readonly<Record<string, string>> = {
  '200': 'OK',
  '201': 'Created',
  '202': 'Accepted',
  '401': 'Unauthorized',
}

const extensionsOf = ({ action, gvk }: Operation): Json => ({
  ...(action && { 'x-kubernetes-action': action }),
  ...(gvk && { 'x-kubernetes-group-version-kind': { group: gvk.group, kind: gvk.kind, version: gvk.version } }),
})

function renderV2(operation: Operation, shared: readonly Parameter[], ref: (type: BodyType) => Json): Json {
  const own = ownParameters(operation, shared).map((parameter) => parameterOf('v2', parameter))
  const body = operation.body && {
    in: 'body',
    name: 'body',
    ...(operation.body.required && { required: true }),
    schema: ref(operation.body.type),
  }
  const parameters = body ? [body, ...own] : own
  return {
    ...(operation.consumes.length > 0 && { consumes: operation.consumes }),
    operationId: operation.id,
    ...(parameters.length > 0 && { parameters }),
    produces: operation.produces,
    responses: Object.fromEntries(
      Object.entries(operation.responses).map(([code, type]) => [
        code,
        { description: descriptions[code], ...(type && { schema: ref(type) }) },
      ]),
    ),
    schemes: ['https'],
    tags: [operation.tag],
    ...extensionsOf(operation),
  }
}

function renderV3(operation: Operation, shared: readonly Parameter[], ref: (type: BodyType) => Json): Json {
  const own = ownParameters(operation, shared).map((parameter) => parameterOf('v3', parameter))
  const content = (types: readonly string[], type: BodyType) =>
    Object.fromEntries(types.map((mediaType) => [mediaType, { schema: ref(type) }]))
  return {
    operationId: operation.id,
    ...(own.length > 0 && { parameters: own }),
    ...(operation.body && {
      requestBody: {
        content: content(operation.consumes, operation.body.type),
        ...(operation.body.required && { required: true }),
      },
    }),
    responses: Object.fromEntries(
      Object.entries(operation.responses).map(([code, type]) => [
        code,
        { description: descriptions[code], ...(type && { content: content(operation.produces, type) }) },
      ]),
    ),
    tags: [operation.tag],
    ...extensionsOf(operation),
  }
}
