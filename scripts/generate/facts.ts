import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A scalar ('string', 'integer:int32' …), the id of a definition, a list of, or a map to something. */
export type TypeFact = string | [TypeFact] | { map: TypeFact }

/** One field of a definition. */
export interface FieldFact {
  type: TypeFact
  'list-type'?: 'map' | 'set' | 'atomic'
  'list-map-keys'?: string[]
  'map-type'?: 'atomic'
  'patch-merge-key'?: string
  'patch-strategy'?: string
}

/** One definition of the OpenAPI document, reduced to names and types. */
export interface Definition {
  type?: string
  format?: string
  required?: string[]
  gvk?: { group: string; version: string; kind: string }[]
  properties?: Record<string, FieldFact>
  'x-kubernetes-map-type'?: 'atomic'
  'x-kubernetes-unions'?: unknown
}

/** One served resource, as aggregated discovery has it. */
export interface ResourceFact {
  resource: string
  responseKind: { group: string; version: string; kind: string }
  scope: 'Namespaced' | 'Cluster'
  singularResource: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: {
    subresource: string
    responseKind: { group: string; version: string; kind: string }
    verbs: string[]
  }[]
}

/** The folder of the facts. */
export const factsFolder = join(import.meta.dirname, '../../facts')

/** Reads one file of facts. */
export const readFacts = (name: string) => JSON.parse(readFileSync(join(factsFolder, name), 'utf8'))

const api = readFacts('kubernetes-api.json')
const found = readFacts('discovery.json')

/** Every definition by its id. */
export const definitions: Record<string, Definition> = api.definitions

/** Every path with its actions. */
export const paths: Record<
  string,
  { kind?: { group: string; version: string; kind: string }; actions: string[]; query?: string[] }
> = api.paths

/** The served groups in upstream's order, the core group (name '') first. */
export const discovery: { name: string; versions: { version: string; resources: ResourceFact[] }[] }[] = [
  ...found.api,
  ...found.apis,
].map((group: { metadata: { name?: string }; versions: { version: string; resources: ResourceFact[] }[] }) => ({
  name: group.metadata.name ?? '',
  versions: group.versions,
}))
