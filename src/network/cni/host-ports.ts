import { CommandError } from '../../base/command.ts'
import type { RunCommand } from '../../base/command.ts'

/** Chains of the portmap plugin: it makes them on first use and leaves them behind. */
const isOurs = (name: string) => /^CNI-(HOSTPORT-|DN-)/.test(name)

/** The parts of nft's JSON that are read. */
interface Item {
  readonly table?: unknown
  readonly chain?: { readonly name: string; readonly hook?: string }
  readonly rule?: { readonly chain: string; readonly handle: number; readonly expr: readonly unknown[] }
}

/** Removes the portmap plugin's chains from the table that iptables keeps in nftables, and the table itself when nothing of anybody is left in it. */
export async function removeHostPortRules(run: RunCommand): Promise<void> {
  for (const family of ['ip', 'ip6']) await clean(run, family)
}

async function clean(run: RunCommand, family: string): Promise<void> {
  const items = await list(run, family)
  const chains = items.flatMap(({ chain }) => (chain ? [chain] : []))
  const ours = chains.filter(({ name }) => isOurs(name))
  // A table without chains does nothing; the plugin makes it by asking for one.
  if (ours.length === 0 && !(chains.length === 0 && items.some(({ table }) => table))) return
  const rules = items.flatMap(({ rule }) => (rule ? [rule] : []))
  const leading = rules.filter(
    ({ chain, expr }) => !isOurs(chain) && /"target":"CNI-(HOSTPORT-|DN-)/.test(JSON.stringify(expr)),
  )
  const others = rules.filter((rule) => !isOurs(rule.chain) && !leading.includes(rule))
  const foreign = chains.filter(({ name, hook }) => !isOurs(name) && hook === undefined)
  const script =
    others.length === 0 && foreign.length === 0
      ? [`delete table ${family} nat`]
      : [
          ...leading.map(({ chain, handle }) => `delete rule ${family} nat ${chain} handle ${handle}`),
          ...ours.map(({ name }) => `flush chain ${family} nat ${name}`),
          ...ours.map(({ name }) => `delete chain ${family} nat ${name}`),
        ]
  await run({ file: 'nft', args: ['-f', '-'], input: `${script.join('\n')}\n` })
}

async function list(run: RunCommand, family: string): Promise<Item[]> {
  try {
    return (
      JSON.parse((await run({ file: 'nft', args: ['-j', 'list', 'table', family, 'nat'] })).stdout) as {
        nftables: Item[]
      }
    ).nftables
  } catch (error) {
    if (error instanceof CommandError && error.stderr.includes('No such file or directory')) return []
    throw error
  }
}
