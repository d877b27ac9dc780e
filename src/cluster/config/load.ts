import { nearest, position } from '../../api/component-config/nearest.ts'
import { Problem } from '../problem.ts'
import { readFileIfThere } from '../files.ts'
import { environmentName, flagName, settings, type ClusterConfig, type Setting } from './settings.ts'

/** A configuration and, for each field, where its value came from. */
export interface Loaded {
  readonly config: ClusterConfig
  readonly sources: Readonly<Record<keyof ClusterConfig, string>>
}

/** What the command line gives. */
export interface ConfigInputs {
  /** By field; absent ones were not given. */
  readonly flags: Partial<Record<keyof ClusterConfig, string>>
  readonly env: NodeJS.ProcessEnv
  /** Path of a configuration file; `-` is read by the caller and comes as `fileText`. */
  readonly file?: string | undefined
  readonly fileText?: string | undefined
  /** The configuration of a cluster that exists: what nobody says anything about stays as it is. */
  readonly existing?: (name: string) => ClusterConfig | undefined
}

/**
 * Puts a cluster's configuration together: flag before environment before file before what the cluster has already before default. Every value is checked,
 * whatever its source.
 */
export async function loadConfig({ flags, env, file, fileText, existing }: ConfigInputs): Promise<Loaded> {
  const fromFile = await readConfigFile(file, fileText)
  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  let there: ClusterConfig | undefined
  for (const setting of settings) {
    const variable = environmentName(setting)
    const candidates: [string, string | undefined][] = [
      [`flag --${flagName(setting.flag)}`, flags[setting.field]],
      [`environment variable ${variable}`, env[variable]],
      [`file ${file ?? ''}`.trim(), fromFile.get(setting.path)],
    ]
    const given = candidates.find(([, value]) => value !== undefined)
    const kept = there?.[setting.field]
    config[setting.field] = given ? parse(setting, given[1]!, given[0]) : (kept ?? setting.fallback)
    sources[setting.field] = given?.[0] ?? (kept === undefined ? 'default' : 'the cluster as it is')
    // The name comes first in the table: it says which cluster there may be.
    if (setting.field === 'name') there = existing?.(String(config['name']))
  }
  return { config: config as unknown as ClusterConfig, sources: sources as Loaded['sources'] }
}

/** A cluster's name as it was typed: checked before any path is made from it. */
export function checkedName(given: string): string {
  return String(
    parse(
      settings.find(({ field }) => field === 'name')!,
      given,
      'command line',
    ),
  )
}

function parse(setting: Setting, given: string, source: string): unknown {
  const result = setting.parse(given)
  if ('value' in result) return result.value
  throw new Problem(
    'KN-CONFIG-02',
    `${setting.path} is ${JSON.stringify(given)} (${source}): it ${result.wrong}`,
    `correct it there; without it, the default is ${String(setting.fallback)}`,
    { exitCode: 2 },
  )
}

const header = { apiVersion: 'kubernode.dev/v1', kind: 'Cluster' } as const

/** The fields that a configuration file sets, as text by path. */
async function readConfigFile(file: string | undefined, given: string | undefined): Promise<Map<string, string>> {
  if (file === undefined) return new Map()
  const text = given ?? readFileIfThere(file)
  if (text === undefined)
    throw new Problem(
      'KN-CONFIG-01',
      `the configuration file ${file} does not exist`,
      'name an existing file with --config',
      { exitCode: 2 },
    )
  const { load } = await import('js-yaml')
  let document: unknown
  try {
    document = load(text)
  } catch (error) {
    throw new Problem('KN-CONFIG-01', `${file} is not YAML: ${(error as Error).message}`, 'correct the file', {
      exitCode: 2,
      cause: error,
    })
  }
  return fieldsOf(
    document,
    (why) =>
      new Problem(
        'KN-CONFIG-01',
        `${file}: ${why}`,
        'correct the file; docs/reference/configuration.md lists every field',
        { exitCode: 2 },
      ),
    text,
  )
}

/** The document's values as text by path; fails at the first that is no field. */
function fieldsOf(document: unknown, problem: (why: string) => Problem, text: string): Map<string, string> {
  const fields = new Map<string, string>()
  const read = (value: unknown, at: string) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw problem(`${at || 'the document'} must be a map`)
    for (const [key, inner] of Object.entries(value)) {
      const path = at ? `${at}.${key}` : key
      if (path === 'apiVersion' || path === 'kind') {
        if (inner !== header[path]) throw problem(`${path} is ${JSON.stringify(inner)}: it must be ${header[path]}`)
      } else if (settings.some((setting) => setting.path === path)) {
        if (inner === null || typeof inner === 'object') throw problem(`${path} must be a single value`)
        fields.set(path, String(inner))
      } else if (settings.some((setting) => setting.path.startsWith(`${path}.`))) read(inner, path)
      else throw problem(`unknown field ${path}${position(text, key)}${didYouMean(path)}`)
    }
  }
  read(document, '')
  return fields
}

/** '; did you mean network.podCIDR?' when a known field is close. */
function didYouMean(path: string): string {
  const meant = nearest(
    path,
    settings.map((setting) => setting.path),
  )
  return meant === undefined ? '' : `; did you mean ${meant}?`
}
