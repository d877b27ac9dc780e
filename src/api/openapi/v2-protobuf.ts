import protobuf from 'protobufjs/minimal.js'
import type { Json } from './schemas.ts'

/*
 * The protobuf form of the OpenAPI v2 document, which kubectl's discovery client asks for. The numbers are those of facts/openapi-v2.protobuf.json; only what our documents
 * contain is written. Everything open-ended ("any") travels as YAML text, of which JSON is a part.
 */

/** The media type of answers in this form. */
export const openApiV2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** How clients ask for it: as above, or with an '@', which is no letter of a media type. */
export const openApiV2ProtobufRequests: readonly string[] = [
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  openApiV2ProtobufType,
]

type Writer = protobuf.Writer
type Write = (writer: Writer, value: never) => void

/** Encodes a document that `OpenApiDocuments.v2Value` made. */
export function encodeOpenApiV2(document: Json): Uint8Array {
  const writer = new protobuf.Writer()
  text(writer, 1, document['swagger'])
  message(writer, 2, document['info'], (w, info: Json) => {
    text(w, 1, info['title'])
    text(w, 2, info['version'])
  })
  message(writer, 8, document['paths'], (w, paths: Json) => named(w, 2, paths, pathItem))
  message(writer, 9, document['definitions'], (w, definitions: Json) => named(w, 1, definitions, schema))
  for (const requirement of (document['security'] as Json[] | undefined) ?? [])
    message(writer, 12, requirement, (w, value: Json) =>
      named(w, 1, value, (inner, names: string[]) => texts(inner, 1, names)),
    )
  message(writer, 13, document['securityDefinitions'], (w, definitions: Json) => named(w, 1, definitions, apiKey))
  return writer.finish()
}

// ---------------------------------------------------------------- building blocks

const delimited = (number: number): number => (number << 3) | 2

function text(writer: Writer, number: number, value: unknown): void {
  if (value !== undefined) writer.uint32(delimited(number)).string(value as string)
}

function texts(writer: Writer, number: number, values: readonly string[] | undefined): void {
  for (const value of values ?? []) writer.uint32(delimited(number)).string(value)
}

function flag(writer: Writer, number: number, value: unknown): void {
  if (value) writer.uint32(number << 3).bool(true)
}

function message<T>(
  writer: Writer,
  number: number,
  value: T | undefined,
  write: (writer: Writer, value: never) => void,
): void {
  if (value === undefined) return
  write(writer.uint32(delimited(number)).fork(), value as never)
  writer.ldelim()
}

/** A map: messages of a name and a value. */
function named(writer: Writer, number: number, values: Json, write: Write): void {
  for (const [name, value] of Object.entries(values)) {
    message(writer, number, value, (w, inner) => {
      text(w, 1, name)
      message(w, 2, inner, write)
    })
  }
}

/** `x-…` of an object. */
function extensions(writer: Writer, number: number, value: Json): void {
  const own = Object.entries(value).filter(([name]) => name.startsWith('x-'))
  named(writer, number, Object.fromEntries(own), any)
}

const any: Write = (writer, value: unknown) => text(writer, 2, JSON.stringify(value))

// ---------------------------------------------------------------- the document's parts

const apiKey: Write = (writer, value: Json) =>
  message(writer, 2, value, (w, key: Json) => {
    text(w, 1, key['type'])
    text(w, 2, key['name'])
    text(w, 3, key['in'])
    text(w, 4, key['description'])
  })

const methods = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const

const pathItem: Write = (writer, item: Json) => {
  for (const [method, number] of Object.entries(methods)) message(writer, number, item[method], operation)
  for (const one of (item['parameters'] as Json[] | undefined) ?? []) message(writer, 9, one, parametersItem)
}

const operation: Write = (writer, value: Json) => {
  texts(writer, 1, value['tags'] as string[])
  text(writer, 5, value['operationId'])
  texts(writer, 6, value['produces'] as string[])
  texts(writer, 7, value['consumes'] as string[] | undefined)
  for (const one of (value['parameters'] as Json[] | undefined) ?? []) message(writer, 8, one, parametersItem)
  message(writer, 9, value['responses'], (w, responses: Json) => named(w, 1, responses, response))
  texts(writer, 10, value['schemes'] as string[])
  extensions(writer, 13, value)
}

const response: Write = (writer, value: Json) =>
  message(writer, 1, value, (w, inner: Json) => {
    text(w, 1, inner['description'])
    message(w, 2, inner['schema'], (item, type: Json) => message(item, 1, type, schema))
  })

const parametersItem: Write = (writer, value: Json) => message(writer, 1, value, parameter)

const parameter: Write = (writer, value: Json) => {
  if (value['in'] === 'body') {
    message(writer, 1, value, (w, body: Json) => {
      text(w, 2, body['name'])
      text(w, 3, 'body')
      flag(w, 4, body['required'])
      message(w, 5, body['schema'], schema)
    })
    return
  }
  const query = value['in'] === 'query'
  // Queries and paths differ by the field for empty values, which only queries have.
  const shift = query ? 1 : 0
  message(writer, 2, value, (w, plain: Json) =>
    message(w, query ? queryNumber : pathNumber, plain, (inner, one: Json) => {
      flag(inner, 1, one['required'])
      text(inner, 2, one['in'])
      text(inner, 4, one['name'])
      text(inner, 5 + shift, one['type'])
      flag(inner, uniqueItemsNumber + shift, one['uniqueItems'])
    }),
  )
}

const queryNumber = 3
const pathNumber = 4
const uniqueItemsNumber = 19

const schema: Write = (writer, value: Json) => {
  text(writer, 1, value['$ref'])
  text(writer, 2, value['format'])
  text(writer, 4, value['description'])
  message(writer, 5, value['default'], any)
  texts(writer, 19, value['required'] as string[] | undefined)
  for (const one of (value['enum'] as unknown[] | undefined) ?? []) message(writer, 20, one, any)
  const more = value['additionalProperties']
  message(writer, 21, more, (w, inner: Json | boolean) =>
    typeof inner === 'boolean' ? void w.uint32(2 << 3).bool(inner) : message(w, 1, inner, schema),
  )
  message(writer, 22, value['type'], (w, type: string) => text(w, 1, type))
  message(writer, 23, value['items'], (w, items: Json) => message(w, 1, items, schema))
  for (const one of (value['allOf'] as Json[] | undefined) ?? []) message(writer, 24, one, schema)
  message(writer, 25, value['properties'], (w, properties: Json) => named(w, 1, properties, schema))
  extensions(writer, 31, value)
}
