import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The mount points of this mount namespace, as the kernel lists them. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8')
  // Fields: id, parent, device, root, mount point … ; spaces and such are octal.
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) =>
      line.split(' ')[4]!.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
    )
}

/** Whether something is mounted there. */
export const isMountPoint = async (path: string): Promise<boolean> => (await mountPoints()).includes(path)

/** Mounts with the system's `mount` program. */
export async function mount(args: readonly string[]): Promise<void> {
  try {
    await run('mount', [...args])
  } catch (error) {
    throw new Error(
      `mount ${args.join(' ')} failed: ${((error as { stderr?: string }).stderr ?? (error as Error).message).trim()}`,
      { cause: error },
    )
  }
}

/** Takes a mount away; where nothing is mounted, nothing is done. A busy one is detached at once and vanishes with its last user. */
export async function unmount(path: string): Promise<void> {
  if (!(await isMountPoint(path))) return
  await run('umount', [path]).catch(() => run('umount', ['--lazy', path])) // Busy: detached instead.
}
