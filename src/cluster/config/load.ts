import { exitCodes, Problem } from '../problem.ts'
import { readConfigFile } from './file.ts'
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
    { exitCode: exitCodes.usage },
  )
}
