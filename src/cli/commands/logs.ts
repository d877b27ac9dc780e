import { createReadStream, existsSync, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { clusterPaths } from '../../cluster/paths.ts'
import { requireRecord } from '../../cluster/record.ts'
import { outputOf, type GlobalFlags } from '../command.ts'
import { numberOf } from './component-flags.ts'

/** `kubernode logs [COMPONENT]`: what the cluster's own processes wrote, of all of them in the order of time. */
export async function logs(
  name: string,
  component: string | undefined,
  flags: GlobalFlags & { follow?: boolean; tail?: string },
): Promise<void> {
  requireRecord(name)
  const output = outputOf(flags)
  const tail = flags.tail === undefined ? undefined : numberOf(flags.tail, 'tail')
  const folder = clusterPaths(name).logs
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.log')) : []
  const wanted = ({ text }: Line) => component === undefined || componentOf(text) === component
  const show = (lines: readonly Line[]) => lines.filter(wanted).forEach(({ text }) => output.result(text))

  const all = files.flatMap((file) => linesOf(readFileSync(join(folder, file), 'utf8')))
  const chosen = all.filter(wanted).sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  show(tail === undefined ? chosen : chosen.slice(Math.max(0, chosen.length - tail)))
  if (component !== undefined && chosen.length === 0) {
    const known = [...new Set(all.map(({ text }) => componentOf(text)))].filter((each) => each !== undefined)
    output.note(`no lines of ${component}; there are some of: ${known.sort().join(', ')}`)
  }
  if (flags.follow) await Promise.all(files.map((file) => follow(join(folder, file), show)))
}

/** One line of a log and its time, as text that sorts. */
interface Line {
  readonly text: string
  readonly time: string
}

const componentOf = (line: string): string | undefined => /"component":"([^"]*)"/.exec(line)?.[1]

/** The lines of a log; one without a time, such as a stack trace's, belongs to the line before it. */
function linesOf(text: string): Line[] {
  let time = ''
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ text: line, time: (time = /"time":"([^"]*)"/.exec(line)?.[1] ?? time) }))
}

/** Shows what is appended to a file, until the command is interrupted. */
async function follow(file: string, show: (lines: readonly Line[]) => void): Promise<void> {
  let read = statSync(file).size
  let rest = ''
  await new Promise<void>((_, reject) => {
    const watcher = watch(file, () => {
      const { size } = statSync(file)
      if (size < read) read = 0
      if (size === read) return
      createReadStream(file, { start: read, end: size - 1, encoding: 'utf8' }).on('data', (text) => {
        const lines = (rest + String(text)).split('\n')
        rest = lines.pop() ?? ''
        show(linesOf(lines.join('\n')))
      })
      read = size
    })
    watcher.once('error', reject)
  })
}
