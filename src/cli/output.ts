import { styleText } from 'node:util'
import type { Clock } from '../base/clock.ts'

/** How a command talks: results go to stdout, everything else to stderr. */
export interface Output {
  /** The result. */
  result(text: string): void
  /** One step of long work: says what it waits for when that takes a while, and how long it took. */
  step<T>(name: string, work: (wait: (what: string) => void) => Promise<T>): Promise<T>
  /** A remark. */
  note(text: string): void
  /** The end of long work: remarks for people, or what came of it for programs. */
  done(remarks: readonly string[], outcome: object): void
}

/** How results can be written. */
export const outputFormats = ['text', 'json', 'yaml', 'wide', 'name'] as const
export type OutputFormat = (typeof outputFormats)[number]

interface OutputOptions {
  readonly clock: Clock
  readonly quiet: boolean
  readonly format: OutputFormat
  readonly stdout?: (text: string) => void
  readonly stderr?: (text: string) => void
}

/** Steps that take longer than this say how long. */
const elapsedFromMs = 1000
/** Steps that take longer than this say what they wait for. */
const explainFromMs = 3000

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/** Output for people, or with `json` one event a line. */
export function newOutput({
  clock,
  quiet,
  format,
  stdout = (text) => process.stdout.write(text),
  stderr = (text) => process.stderr.write(text),
}: OutputOptions): Output {
  const event = (fields: object) => stdout(`${JSON.stringify(fields)}\n`)
  return {
    result: (text) => stdout(text.endsWith('\n') ? text : `${text}\n`),
    note(text) {
      if (format === 'json') event({ type: 'note', text })
      else if (!quiet) stderr(`${text}\n`)
    },
    done(remarks, outcome) {
      if (format === 'json') event({ type: 'result', ...outcome })
      else remarks.forEach((text) => this.note(text))
    },
    async step(name, work) {
      const start = clock.now()
      let waitingFor = ''
      const cancel = clock.after(explainFromMs, () => {
        if (!quiet && format !== 'json') stderr(`  … ${name}${waitingFor && `: waiting for ${waitingFor}`}\n`)
      })
      try {
        const outcome = await work((what) => (waitingFor = what))
        const ms = clock.now() - start
        if (format === 'json') event({ type: 'step', name, state: 'done', ms })
        else if (!quiet) stderr(` ${paint('green', '✓')} ${name}${ms >= elapsedFromMs ? ` (${seconds(ms)})` : ''}\n`)
        return outcome
      } catch (error) {
        if (format === 'json') event({ type: 'step', name, state: 'failed', ms: clock.now() - start })
        else if (!quiet) stderr(` ${paint('red', '✗')} ${name}\n`)
        throw error
      } finally {
        cancel()
      }
    },
  }
}

/** Colour where it is wanted: a terminal without NO_COLOR, or FORCE_COLOR. */
export const paint = (
  colour: 'green' | 'red' | 'yellow' | 'bold',
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string => styleText(colour, text, { stream })

/** A list as columns, the way kubectl prints them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]! + 3))).join(''),
    )
    .join('\n')
}

/** A list in one of the formats for programs. */
export async function formatted(format: OutputFormat, kind: string, items: readonly object[]): Promise<string> {
  const list = { apiVersion: 'kubernode.dev/v1', kind, items }
  if (format === 'json') return JSON.stringify(list, null, 2)
  const { dump } = await import('js-yaml')
  return dump(list)
}
