import type { Command } from 'commander'
import { realClock } from '../base/clock.ts'
import { newOutput, type Output, type OutputFormat } from './output.ts'

/** One command of the command line: declared as data, loaded when it is called. */
export interface CommandDefinition {
  readonly name: string
  readonly summary: string
  /** Adds arguments, flags and the action. */
  readonly define: (command: Command) => void
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
    .option('-o, --output <format>', 'text, json, yaml, wide or name')
    .option('-q, --quiet', 'only errors')
    .option('-v, --verbosity <level>', 'detail of logs, 0 to 9')
    .option('--no-color', 'no colours')
}

/** Adds the argument and flag that say which cluster is meant. */
export function withClusterName(command: Command): Command {
  return command
    .argument('[name]', 'name of the cluster')
    .option('-n, --name <name>', 'name of the cluster')
    .option('-p, --profile <name>', 'the same, for those used to minikube')
}

/** The cluster that is meant: argument, flag, environment, default. */
export const clusterName = (argument: string | undefined, flags: { name?: string; profile?: string }): string =>
  argument ?? flags.name ?? flags.profile ?? process.env['KUBERNODE_NAME'] ?? 'kubernode'

/** The output that the flags ask for. */
export function outputOf(flags: GlobalFlags): Output {
  if (flags.color === false) process.env['NO_COLOR'] = '1'
  if (flags.verbosity !== undefined) process.env['KUBERNODE_VERBOSITY'] = flags.verbosity
  return newOutput({ clock: realClock, quiet: flags.quiet ?? false, format: flags.output ?? 'text' })
}
