import { Option, type Command } from 'commander'
import { realClock } from '../base/clock.ts'
import { checkedName } from '../cluster/config/load.ts'
import { exitCodes, Problem } from '../cluster/problem.ts'
import { newOutput, outputFormats, type Output, type OutputFormat } from './output.ts'

/** One command of the command line: declared as data, loaded when it is called. */
export interface CommandDefinition {
  readonly name: string
  readonly summary: string
  /** Adds arguments, flags and the action. */
  readonly define: (command: Command) => void
  /** Adds flags that are too many to be loaded before the command was typed. */
  readonly loadFlags?: () => Promise<Pick<CommandDefinition, 'define'>>
}

/** Flags that every command has. */
export interface GlobalFlags {
  readonly output?: OutputFormat
  readonly quiet?: boolean
  readonly verbosity?: string
  readonly color?: boolean
}

/** Adds the flags that every command has. */
export function withGlobalFlags(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how results are written').choices(outputFormats))
    .option('-q, --quiet', 'only errors')
    .addOption(new Option('-v, --verbosity <level>', 'detail of logs, 0 to 9').choices([...'0123456789']))
    .option('--no-color', 'no colours')
}

/** Flags that say which cluster is meant. */
export interface NameFlags {
  readonly name?: string
  readonly profile?: string
}

/** Adds the flags that say which cluster is meant. */
export function withNameFlags(command: Command): Command {
  return command
    .option('-n, --name <name>', 'name of the cluster')
    .option('-p, --profile <name>', 'the same, for those used to minikube')
}

/** Adds the argument and flags that say which cluster is meant. */
export const withClusterName = (command: Command): Command =>
  withNameFlags(command.argument('[name]', 'name of the cluster'))

/** The cluster's name, if the command line gives one. */
export function givenName(argument: string | undefined, { name, profile }: NameFlags): string | undefined {
  const given = [...new Set([argument, name, profile].filter((text) => text !== undefined))]
  if (given.length > 1)
    throw new Problem('KN-CONFIG-02', `two clusters are named: ${given.join(' and ')}`, 'name one', {
      exitCode: exitCodes.usage,
    })
  return given[0]
}

/** The cluster that is meant: argument, flag, environment, default. */
export const clusterName = (argument: string | undefined, flags: NameFlags): string =>
  checkedName(givenName(argument, flags) ?? process.env['KUBERNODE_NAME'] ?? 'kubernode')

/** The output that the flags ask for. */
export function outputOf(flags: GlobalFlags): Output {
  if (flags.color === false) process.env['NO_COLOR'] = '1'
  if (flags.verbosity !== undefined) process.env['KUBERNODE_VERBOSITY'] = flags.verbosity
  return newOutput({ clock: realClock, quiet: flags.quiet ?? false, format: flags.output ?? 'text' })
}
