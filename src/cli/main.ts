#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=16 --invocation-count-for-turbofan=40000
import { Command, CommanderError } from 'commander'
import { exitCodes } from '../cluster/problem.ts'
import { withoutAliases } from './aliases.ts'
import { commands } from './commands.ts'
import { report } from './report.ts'

const program = new Command('kubernode')
  .description('Kubernetes in TypeScript: a cluster with real containers, one command away')
  .configureHelp({ sortSubcommands: false })
  .showHelpAfterError('(add --help for the flags)')
  .showSuggestionAfterError()
  .exitOverride()

for (const { name, summary, define } of commands) {
  const command = program.command(name).description(summary)
  define(command)
  command.exitOverride()
}

// Whoever reads the output may stop before its end, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : report(error)))

try {
  await program.parseAsync(withoutAliases(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : exitCodes.usage) : report(error)
  // What was interrupted is not waited for.
  if (process.exitCode === exitCodes.interrupted || process.exitCode === exitCodes.terminated) process.exit()
}
