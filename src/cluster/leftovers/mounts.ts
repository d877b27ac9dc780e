import { existsSync, readFileSync } from 'node:fs'
import { runCommand } from '../../base/command.ts'

/** Mount points under a folder, the newest first: an older one may be hidden below it. */
export function mountsUnder(folder: string): readonly string[] {
  if (!existsSync('/proc/self/mountinfo')) return []
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(
      (line) =>
        line
          .split(' ')[4]
          ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? '',
    )
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .reverse()
}

/** Unmounts everything under a folder, so that removing it cannot reach into what was mounted there. */
export async function unmountUnder(folder: string): Promise<void> {
  // Mounts propagate and stack: one unmount may take several along, or uncover another. So it is looked again after each.
  for (let left = mountsUnder(folder); left.length > 0;) {
    let failure: unknown
    for (const path of left) {
      failure = await runCommand({ file: 'umount', args: ['-l', path] }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure === undefined) break
    }
    if (failure !== undefined) throw failure
    left = mountsUnder(folder)
  }
}
