import { nearest, position } from '../../api/component-config/nearest.ts'
import { readFileIfThere } from '../files.ts'
import { exitCodes, Problem } from '../problem.ts'
import { settings } from './settings.ts'

/** A kind of configuration file: which setting each of its fields gives, by the setting's own path. */
interface Format {
  readonly fields: ReadonlyMap<string, string>
  /** What a node of the list may say besides its role; it has no effect. */
  readonly nodeFields: readonly string[]
}

/** Ours, and kind's, so that who has one of those need not write another. */
const formats: Readonly<Record<string, Format>> = {
  'kubernode.dev/v1': { fields: new Map(settings.map(({ path }) => [path, path])), nodeFields: [] },
  'kind.x-k8s.io/v1alpha4': {
    fields: new Map([
      ['name', 'metadata.name'],
      ['nodes', 'nodes'],
      ['networking.podSubnet', 'network.podCIDR'],
      ['networking.serviceSubnet', 'network.serviceCIDR'],
      ['networking.apiServerAddress', 'apiServer.address'],
      ['networking.apiServerPort', 'apiServer.port'],
    ]),
    nodeFields: ['image'],
  },
}

const serverRoles = ['server', 'control-plane']
const roles = [...serverRoles, 'worker']

/** The settings that a configuration file gives, as text by path; `given` is its text when the caller has read it. */
export async function readConfigFile(
  file: string | undefined,
  given: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  if (file === undefined) return new Map()
  const text = given ?? readFileIfThere(file)
  const problem = (what: string, fix: string, cause?: unknown) =>
    new Problem('KN-CONFIG-01', what, fix, { exitCode: exitCodes.usage, cause })
  if (text === undefined)
    throw problem(`the configuration file ${file} does not exist`, 'name an existing file with --config')
  const { load } = await import('js-yaml')
  let document: unknown
  try {
    document = load(text)
  } catch (error) {
    throw problem(`${file} is not YAML: ${(error as Error).message}`, 'correct the file', error)
  }
  return new FileReader(text, (why) =>
    problem(`${file}: ${why}`, 'correct the file; docs/reference/configuration.md lists every field'),
  ).read(document)
}

/** Walks through a document, and fails at the first that is no field. */
class FileReader {
  readonly #text: string
  readonly #problem: (why: string) => Problem
  readonly #found = new Map<string, string>()

  constructor(text: string, problem: (why: string) => Problem) {
    this.#text = text
    this.#problem = problem
  }

  read(document: unknown): ReadonlyMap<string, string> {
    const { apiVersion, kind, ...rest } = this.#map(document, 'the document')
    const format = formats[String(apiVersion)]
    if (!format)
      throw this.#problem(
        `apiVersion is ${JSON.stringify(apiVersion)}: it must be ${Object.keys(formats).join(' or ')}`,
      )
    if (kind !== 'Cluster') throw this.#problem(`kind is ${JSON.stringify(kind)}: it must be Cluster`)
    this.#fields(rest, '', format)
    return this.#found
  }

  #fields(map: Readonly<Record<string, unknown>>, at: string, format: Format): void {
    for (const [key, value] of Object.entries(map)) {
      const path = at ? `${at}.${key}` : key
      const setting = format.fields.get(path)
      if (setting === 'nodes' && Array.isArray(value)) this.#found.set(setting, this.#nodes(value, format))
      else if (setting !== undefined) {
        if (value === null || typeof value === 'object') throw this.#problem(`${path} must be a single value`)
        this.#found.set(setting, String(value))
      } else if ([...format.fields.keys()].some((field) => field.startsWith(`${path}.`)))
        this.#fields(this.#map(value, path), path, format)
      else throw this.#unknown(path, [...format.fields.keys()])
    }
  }

  /** How many nodes a list of them has. */
  #nodes(list: readonly unknown[], { nodeFields }: Format): string {
    let servers = 0
    for (const [index, value] of list.entries()) {
      const { role = 'control-plane', ...rest } = this.#map(value, `nodes[${index}]`)
      if (!roles.includes(String(role)))
        throw this.#problem(`nodes[${index}].role is ${JSON.stringify(role)}: it must be one of ${roles.join(', ')}`)
      if (serverRoles.includes(String(role)) && ++servers > 1)
        throw this.#problem(`nodes[${index}] is another server: a cluster has one`)
      const unknown = Object.keys(rest).find((key) => !nodeFields.includes(key))
      if (unknown !== undefined) throw this.#unknown(`nodes[${index}].${unknown}`, [`nodes[${index}].role`])
    }
    return String(list.length)
  }

  #map(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw this.#problem(`${path} must be a map`)
    return value as Record<string, unknown>
  }

  /** Names the place, and the known field that was perhaps meant. */
  #unknown(path: string, known: readonly string[]): Problem {
    const meant = nearest(path, [...known])
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    return this.#problem(`unknown field ${path}${position(this.#text, path.split('.').at(-1)!)}${hint}`)
  }
}
