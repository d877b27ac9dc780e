import { CommandError } from '../base/command.ts'
import type { RunCommand } from '../base/command.ts'

/** A link with its addresses, as far as `ip -j address` is read. */
export interface Link {
  readonly ifname: string
  readonly mtu: number
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[]
}

/** The links of the network namespace of `run`. */
export async function readLinks(run: RunCommand): Promise<Link[]> {
  return JSON.parse((await run({ file: 'ip', args: ['-j', 'address', 'show'] })).stdout.trim() || '[]') as Link[]
}

/** Deletes a link; one that is not there is fine. */
export async function deleteLink(run: RunCommand, name: string): Promise<void> {
  try {
    await run({ file: 'ip', args: ['link', 'delete', name] })
  } catch (error) {
    if (!(error instanceof CommandError) || !error.stderr.includes('Cannot find device')) throw error
  }
}
