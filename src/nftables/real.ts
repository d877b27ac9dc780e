import { CommandError, inNetworkNamespace } from '../base/command.ts'
import type { RunCommand } from '../base/command.ts'
import { NftError } from './nft.ts'
import type { ChainHook, Nft, NftStep, SetElement, SetSpec, TableName, TableOutline } from './nft.ts'
import { scriptOf, tableText } from './script.ts'

/** Where and how `nft` runs. */
export interface RealNftOptions {
  /** Runs the `nft` program. */
  readonly run: RunCommand
  /** Path of the network namespace whose rules these are; absent: this process's own. */
  readonly namespacePath?: string | undefined
}

/** The kernel's rules through the `nft` program: a transaction is one run of it, which the kernel takes whole or not at all. */
export function realNft({ run, namespacePath }: RealNftOptions): Nft {
  const inside = inNetworkNamespace(run, namespacePath)
  const nft = (args: readonly string[], input?: string) =>
    inside({ file: 'nft', args, ...(input !== undefined && { input }) })

  return {
    async apply(steps: readonly NftStep[]) {
      if (steps.length === 0) return
      try {
        await nft(['-f', '-'], scriptOf(steps))
      } catch (error) {
        throw nftError(error)
      }
    },

    async tables() {
      return (
        (await read(nft(['-j', 'list', 'tables'])))?.flatMap(({ table }) =>
          table ? [{ family: table.family as TableName['family'], name: table.name }] : [],
        ) ?? []
      )
    },

    async outline(table) {
      // Listing the table itself would print every rule; these two are answered from names alone.
      const [chains, sets, maps] = await Promise.all([
        read(nft(['-j', '-t', 'list', 'chains', table.family])),
        read(nft(['-j', '-t', 'list', 'sets', table.family])),
        read(nft(['-j', '-t', 'list', 'maps', table.family])),
      ])
      const mine = (of: ListedObject) => of.table === table.name
      const outline: TableOutline = {
        chains: new Map(
          (chains ?? []).flatMap(({ chain }) => (chain && mine(chain) ? [[chain.name, hookOf(chain)]] : [])),
        ),
        sets: new Map([...(sets ?? []), ...(maps ?? [])].flatMap(({ set, map }) => namedSet(set ?? map, mine))),
      }
      if (outline.chains.size > 0 || outline.sets.size > 0) return outline
      const tables = await this.tables()
      return tables.some(({ family, name }) => family === table.family && name === table.name) ? outline : undefined
    },

    async ruleCount(table, chain) {
      const items = await read(nft(['-j', 'list', 'chain', table.family, table.name, chain]))
      return items?.filter(({ rule }) => rule).length
    },

    async elements(table, set) {
      const items =
        (await read(nft(['-j', 'list', 'set', table.family, table.name, set]))) ??
        (await read(nft(['-j', 'list', 'map', table.family, table.name, set])))
      const listed = items?.map((item) => item.set ?? item.map).find((found) => found !== undefined)
      if (!listed) throw new NftError(`no set ${set} in table ${tableText(table)}`)
      return (listed.elem ?? []).map(elementOf)
    },
  }
}

/** The parts of nft's JSON that are read. */
interface ListedObject {
  readonly family: string
  readonly name: string
  readonly table: string
  readonly type?: string | readonly string[]
  readonly map?: string | readonly string[]
  readonly flags?: readonly string[] | string
  readonly timeout?: number
  readonly elem?: readonly unknown[]
  readonly hook?: string
  readonly prio?: number
}
interface ListedItem {
  readonly table?: ListedObject
  readonly chain?: ListedObject
  readonly set?: ListedObject
  readonly map?: ListedObject
  readonly rule?: object
}

/** What nft listed, or undefined when the thing asked for does not exist. */
async function read(listing: Promise<{ stdout: string }>): Promise<ListedItem[] | undefined> {
  try {
    return (JSON.parse((await listing).stdout) as { nftables: ListedItem[] }).nftables
  } catch (error) {
    if (error instanceof CommandError && error.stderr.includes('No such file or directory')) return undefined
    throw nftError(error)
  }
}

function nftError(error: unknown): unknown {
  if (!(error instanceof CommandError) || error.exitCode === undefined) return error
  return new NftError(error.stderr.trim() || error.message, { cause: error })
}

const hookOf = (chain: ListedObject): ChainHook | undefined =>
  chain.hook === undefined
    ? undefined
    : { type: chain.type as ChainHook['type'], hook: chain.hook as ChainHook['hook'], priority: chain.prio ?? 0 }

function namedSet(set: ListedObject | undefined, mine: (of: ListedObject) => boolean): [string, SetSpec][] {
  if (!set || !mine(set) || set.name.startsWith('__')) return []
  const concat = (type: string | readonly string[] | undefined) =>
    typeof type === 'string' ? type : (type ?? []).join(' . ')
  const flags = [set.flags ?? []].flat() as NonNullable<SetSpec['flags']>
  const spec: SetSpec = {
    type: set.map === undefined ? concat(set.type) : `${concat(set.type)} : ${concat(set.map)}`,
    ...(flags.length > 0 && { flags }),
    ...(set.timeout !== undefined && { timeoutSeconds: set.timeout }),
  }
  return [[set.name, spec]]
}

function elementOf(listed: unknown): SetElement {
  if (Array.isArray(listed)) return { key: valueText(listed[0]), value: valueText(listed[1]) }
  return { key: valueText(listed) }
}

/** A value of nft's JSON in the words of its language. */
function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = value as Record<string, unknown>
  if ('elem' in fields) return valueText((fields.elem as { val: unknown }).val)
  if ('concat' in fields) return (fields.concat as unknown[]).map(valueText).join(' . ')
  if ('prefix' in fields) {
    const { addr, len } = fields.prefix as { addr: string; len: number }
    return `${addr}/${len}`
  }
  if ('range' in fields) return (fields.range as unknown[]).map(valueText).join('-')
  for (const verdict of ['goto', 'jump'] as const)
    if (verdict in fields) return `${verdict} ${(fields[verdict] as { target: string }).target}`
  return Object.keys(fields)[0] ?? ''
}
