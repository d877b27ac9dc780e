/**
 * Reads the struct tags of upstream's Go types and writes them to facts/json-tags.json: for each definition its fields in the order of declaration, with JSON name,
 * omitempty/omitzero, pointer or value, protobuf number and the name of the Go type where it says more than the shape does. Facts only; needs Go, so it is run by hand
 * when the version changes: `node scripts/generate/go-tags.ts`. `npm run generate` needs only its result.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { definitions, factsFolder, type TypeFact } from './facts.ts'

const version = 'v0.35.4'
const modules = ['api', 'apimachinery', 'apiextensions-apiserver', 'kube-aggregator']

/** Packages that have no definitions in the OpenAPI facts but travel on the wire all the same. */
const morePackages = ['io.k8s.api.admission.v1']

interface Tag {
  /** omitempty */
  omit?: true
  omitzero?: true
  pointer?: true
  /** The protobuf field number, '2.1' when it is in an embedded message. */
  pb?: string
  /** By `+required`, `+optional`, or the lack of omitempty. */
  required?: true
  /** `+default=` */
  default?: unknown
  /** The Go type, as its reflection names it. */
  go: string
  /** Inline structs are resolved; this is the type of fields that the API facts lack. */
  type?: TypeFact
}

const folders = new Map<string, string>()
for (const module of modules) {
  const found = JSON.parse(
    execFileSync('go', ['mod', 'download', '-json', `k8s.io/${module}@${version}`], { encoding: 'utf8', cwd: '/' }),
  )
  folders.set(module, found.Dir)
}

/** 'io.k8s.api.core.v1' → the folder of its Go package. */
function folderOf(id: string): string | undefined {
  const path = id.replace(/^io\.k8s\./, '').split('.')
  const folder = folders.get(path[0]!)
  const full = folder && join(folder, ...path.slice(1))
  return full && existsSync(full) ? full : undefined
}

interface GoPackage {
  structs: Map<string, string[]>
  named: Map<string, string>
  imports: Map<string, string>
  constants: Map<string, string>
}

const packages = new Map<string, GoPackage>()

/** The type declarations of a package, as text. */
function goPackage(folder: string): GoPackage {
  const known = packages.get(folder)
  if (known) return known
  const found: GoPackage = { structs: new Map(), named: new Map(), imports: new Map(), constants: new Map() }
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.go') || /_test\.go$|zz_generated|generated\./.test(file)) continue
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, alias, path] of text.matchAll(/^\t?(?:import )?(\w+ )?"((?:k8s\.io|time|encoding)[^"]*)"$/gm))
      found.imports.set(alias?.trim() || path!.split('/').at(-1)!, path!)
    for (const [, name, value] of text.matchAll(/^\t?(?:const )?(\w+)\s+\w*\s*= "([^"]*)"$/gm))
      found.constants.set(name!, value!)
    for (const [, name, body] of text.matchAll(/^type (\w+) struct \{\n([^]*?)^\}/gm))
      found.structs.set(name!, body!.split('\n'))
    for (const [, name] of text.matchAll(/^type (\w+) struct ?\{\}/gm)) found.structs.set(name!, [])
    for (const [, name, type] of text.matchAll(/^type (\w+) (?:= )?((?:\[|map|\w)[\w[\].*]*)$/gm))
      found.named.set(name!, type!)
  }
  packages.set(folder, found)
  return found
}

/** A type expression as reflection writes it: aliases become package names, local names get their package's. */
function reflected(type: string, found: GoPackage, packageName: string): string {
  return type.replace(/\b(?:(\w+)\.)?([A-Za-z]\w*)\b/g, (whole, alias, name) => {
    if (alias) return `${found.imports.get(alias)?.split('/').at(-1) ?? alias}.${name}`
    if (name === 'map') return whole
    if (name === 'byte') return 'uint8'
    return /^[a-z]/.test(name) ? whole : `${packageName}.${name}`
  })
}

/** The shape of a Go type that the API facts do not know. */
function shapeOf(type: string, found: GoPackage, packageId: string): TypeFact {
  const plain = type.replace(/^\*/, '')
  if (plain === '[]byte') return 'string:byte'
  if (plain.startsWith('[]')) return [shapeOf(plain.slice(2), found, packageId)]
  if (plain.startsWith('map[')) return { map: shapeOf(plain.slice(plain.indexOf(']') + 1), found, packageId) }
  const scalar = {
    string: 'string',
    bool: 'boolean',
    int32: 'integer:int32',
    int: 'integer:int32',
    int64: 'integer:int64',
    float64: 'number:double',
  }[plain]
  if (scalar) return scalar
  const [alias, name] = plain.includes('.') ? (plain.split('.') as [string, string]) : [undefined, plain]
  const id = alias ? `io.${found.imports.get(alias)!.replaceAll('/', '.').replace('k8s.io.', 'k8s.')}` : packageId
  const there = folderOf(id)
  const other = there ? goPackage(there) : undefined
  const under = other?.named.get(name)
  return under ? shapeOf(under, other!, id) : `${id}.${name}`
}

/** The value of a `+default=` marker: JSON, or a constant of the package in `ref(…)`. */
function parseMarker(text: string, found: GoPackage): unknown {
  const constant = /^ref\((?:.*\.)?(\w+)\)$/.exec(text)?.[1]
  if (constant) return found.constants.get(constant)
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The fields of a struct, inline ones resolved in place. */
function fieldsOf(id: string): Record<string, Tag> | undefined {
  const packageId = id.slice(0, id.lastIndexOf('.'))
  const folder = folderOf(packageId)
  if (!folder) return undefined
  const found = goPackage(folder)
  const lines = found.structs.get(id.slice(packageId.length + 1))
  if (!lines) return undefined
  const out: Record<string, Tag> = {}
  let standard: unknown
  let presence: string | undefined
  for (const line of lines) {
    const marker = /^\t\/\/ *\+default=(.*)$/.exec(line)
    if (marker) standard = parseMarker(marker[1]!, found)
    presence = /^\t\/\/ *\+(optional|required)\s*$/.exec(line)?.[1] ?? presence
    const match = /^\t(?:(\w+)\s+)?(\S+)\s+`([^`]*)`/.exec(line)
    if (!match) continue
    // `standard` and `presence` belong to the field that follows their comments.
    const [, , type, tags] = match
    const json = /json:"([^"]*)"/.exec(tags!)?.[1]
    if (json === undefined || json === '-') continue
    const [name, ...options] = json.split(',')
    if (!name) {
      // Inline in JSON, yet a message of its own in protobuf: its fields' numbers are behind its own. TypeMeta is not in the message at all.
      const embedded = shapeOf(type!, found, packageId)
      const outer = /protobuf:"[a-z0-9]+,(\d+)/.exec(tags!)?.[1]
      const fields = (typeof embedded === 'string' && fieldsOf(embedded)) || {}
      for (const [inner, { pb, ...tag }] of Object.entries(fields))
        out[inner] = { ...tag, ...(outer && pb && { pb: `${outer}.${pb}` }) }
      continue
    }
    const pb = /protobuf:"[a-z0-9]+,(\d+)/.exec(tags!)?.[1]
    const fact = definitions[id]?.properties?.[name]
    out[name] = {
      ...(options.includes('omitempty') && { omit: true }),
      ...(options.includes('omitzero') && { omitzero: true }),
      ...(type!.startsWith('*') && { pointer: true }),
      ...(pb && { pb }),
      ...((presence ?? (options.includes('omitempty') ? 'optional' : 'required')) === 'required' && { required: true }),
      ...(standard !== undefined && { default: standard }),
      go: reflected(type!.replace(/^\*/, ''), found, packageId.split('.').at(-1)!),
      ...(!fact && { type: shapeOf(type!, found, packageId) }),
    }
    standard = undefined
    presence = undefined
  }
  return out
}

const ids = new Set(Object.keys(definitions))
for (const packageId of [...new Set([...ids].map((id) => id.slice(0, id.lastIndexOf('.')))), ...morePackages]) {
  const folder = folderOf(packageId)
  if (!folder) continue
  for (const name of goPackage(folder).structs.keys()) if (/^[A-Z]/.test(name)) ids.add(`${packageId}.${name}`)
}
const out: Record<string, Record<string, Tag>> = {}
for (const id of [...ids].sort()) {
  const fields = fieldsOf(id)
  if (fields) out[id] = fields
}
const lines = Object.entries(out).map(
  ([id, fields]) =>
    `${JSON.stringify(id)}:{${Object.entries(fields)
      .map(([name, tag]) => `\n ${JSON.stringify(name)}:${JSON.stringify(tag)}`)
      .join(',')}}`,
)
writeFileSync(join(factsFolder, 'json-tags.json'), `{\n${lines.join(',\n')}\n}\n`)
