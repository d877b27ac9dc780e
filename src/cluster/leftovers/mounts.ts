import { existsSync, readFileSync } from 'node:fs'
import { runCommand } from '../../base/command.ts'

/** Mount points under a folder, deepest first. */
export function mountsUnder(folder: string): readonly string[] {
  if (!existsSync('/proc/self/mountinfo')) return []
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))) ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)
}

/** Unmounts everything under a folder, so that removing it cannot reach into what was mounted there. */
export async function unmountUnder(folder: string): Promise<void> {
  for (const path of mountsUnder(folder)) await runCommand({ file: 'umount', args: ['-l', path] })
}
