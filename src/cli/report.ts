import { Problem } from '../cluster/problem.ts'
import { paint } from './output.ts'

/** Says what went wrong on stderr; returns the exit code. Stack traces are for -v 5 (KUBERNODE_VERBOSITY) and for defects. */
export function report(error: unknown): number {
  const verbose = Number(process.env['KUBERNODE_VERBOSITY'] ?? 0) >= 5
  if (error instanceof Problem) {
    process.stderr.write(
      `${paint('red', 'error')} ${error.code}: ${error.message}\n  ${paint('bold', 'fix')}: ${error.fix}\n${verbose ? `${error.stack}\n` : ''}`,
    )
    return error.exitCode
  }
  process.stderr.write(
    `${paint('red', 'error')}: ${error instanceof Error ? (verbose ? error.stack : error.message) : String(error)}\n${verbose ? '' : '  for more, run it again with KUBERNODE_VERBOSITY=5\n'}`,
  )
  return 1
}
