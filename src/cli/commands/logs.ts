import { createReadStream, existsSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { clusterPaths } from '../../cluster/paths.ts'
import { requireRecord } from '../../cluster/record.ts'

/** `kubernode logs [COMPONENT]`: what the cluster's own processes wrote. */
export async function logs(
  name: string,
  component: string | undefined,
  flags: { follow?: boolean; tail?: string },
): Promise<void> {
  requireRecord(name)
  const file = join(clusterPaths(name).logs, 'kubernode.log')
  const wanted = (line: string) =>
    line !== '' && (component === undefined || line.includes(`"component":"${component}"`))
  const show = (lines: readonly string[]) => lines.filter(wanted).forEach((line) => process.stdout.write(`${line}\n`))
  if (!existsSync(file)) return
  const lines = readFileSync(file, 'utf8').split('\n').filter(wanted)
  show(flags.tail === undefined ? lines : lines.slice(-Number(flags.tail)))
  if (flags.follow) await follow(file, show)
}

/** Shows what is appended to a file until the command is interrupted. */
async function follow(file: string, show: (lines: readonly string[]) => void): Promise<void> {
  let read = statSync(file).size
  let rest = ''
  await new Promise<void>((resolve) => {
    const watcher = watch(file, () => {
      const { size } = statSync(file)
      if (size < read) read = 0
      createReadStream(file, { start: read, end: size - 1, encoding: 'utf8' }).on('data', (text) => {
        const lines = (rest + String(text)).split('\n')
        rest = lines.pop() ?? ''
        show(lines)
      })
      read = size
    })
    process.once('SIGINT', () => {
      watcher.close()
      resolve()
    })
  })
}
