import { spawn } from 'node:child_process'

/** A program to run. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  /** Written to its standard input. */
  readonly input?: string
  readonly signal?: AbortSignal
}

/** What a program wrote before it ended with 0. */
export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
}

/** Runs programs: given to whoever needs `ip` or `nft`, so that tests can give another. */
export type RunCommand = (command: Command) => Promise<CommandOutput>

/** A program ended with a code other than 0, or could not be started (`exitCode` is undefined then). */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: number | undefined
  readonly stderr: string

  constructor(command: Command, exitCode: number | undefined, stderr: string, options?: ErrorOptions) {
    super(
      `${[command.file, ...command.args].join(' ')}: ${stderr.trim() || (exitCode === undefined ? 'could not be started' : `ended with code ${exitCode}`)}`,
      options,
    )
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/** Error output is cut here: a refused transaction of nft repeats every line. */
const stderrMax = 16 * 1024

/** Runs a program to its end; rejects with a `CommandError` when it fails, with the signal's reason when aborted (the program is killed then). */
export const runCommand: RunCommand = (command) =>
  new Promise((resolve, reject) => {
    if (command.signal?.aborted) return reject(command.signal.reason)
    const child = spawn(command.file, command.args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const abort = () => child.kill('SIGKILL')
    command.signal?.addEventListener('abort', abort, { once: true })
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < stderrMax) stderr += chunk.toString()
    })
    // A program that ends before it has read everything closes its end; its exit code tells why.
    child.stdin.on('error', () => {})
    child.on('error', (error) => {
      command.signal?.removeEventListener('abort', abort)
      reject(new CommandError(command, undefined, error.message, { cause: error }))
    })
    child.on('close', (code, killedBy) => {
      command.signal?.removeEventListener('abort', abort)
      if (command.signal?.aborted) return reject(command.signal.reason)
      if (code === 0) return resolve({ stdout: Buffer.concat(out).toString(), stderr })
      reject(new CommandError(command, code ?? undefined, stderr || (killedBy ? `killed by ${killedBy}` : '')))
    })
    child.stdin.end(command.input ?? '')
  })

/** The same programs, run inside a network namespace (its path). Only the network changes: `ip netns exec` would also mount another /sys, without cgroups. */
export const inNetworkNamespace = (run: RunCommand, namespacePath: string | undefined): RunCommand =>
  namespacePath === undefined
    ? run
    : (command) => run({ ...command, file: 'nsenter', args: [`--net=${namespacePath}`, command.file, ...command.args] })
