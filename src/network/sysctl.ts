import type { RunCommand } from '../base/command.ts'

/** Sets a kernel parameter in the network namespace of `run`: '/proc/sys/net' shows that of whoever looks. */
export async function setSysctl(run: RunCommand, name: string, value: string): Promise<void> {
  await run({ file: 'sh', args: ['-c', 'printf %s "$2" > "$1"', 'sh', pathOf(name), value] })
}

/** Whether the kernel has the parameter. */
export async function hasSysctl(run: RunCommand, name: string): Promise<boolean> {
  return run({ file: 'test', args: ['-e', pathOf(name)] }).then(
    () => true,
    () => false,
  )
}

const pathOf = (name: string) => `/proc/sys/${name.replaceAll('.', '/')}`
