import { NftError } from '../nft.ts'
import type { ChainHook, Nft, NftStep, TableName } from '../nft.ts'
import { tableText } from '../script.ts'
import { sendPacket } from './packet.ts'
import type { Outcome, Packet } from './packet.ts'
import { parseVerdict } from './rule.ts'
import type { Statement } from './rule.ts'
import { HeldTable, chainsOf } from './table.ts'

/** Rules in memory, for tests and simulated nodes: refuses what the kernel refuses, and shows what becomes of a packet. */
export interface MemoryNft extends Nft {
  /** What the rules do to the first packet of a connection from outside the node or from one of its processes. */
  send(packet: Packet, origin: 'outside' | 'local'): Outcome
  /** A chain's rules as they were parsed; none when there is no such chain. */
  rules(table: TableName, chain: string): readonly (readonly Statement[])[]
}

/** A network namespace's rules in memory. */
export function memoryNft(): MemoryNft {
  let tables = new Map<string, HeldTable>()
  const find = (table: TableName) => tables.get(tableText(table))

  return {
    async apply(steps) {
      const draft = new Map(tables)
      const touched = new Set<string>()
      for (const step of steps) applyStep(draft, touched, step)
      for (const name of touched) {
        const table = draft.get(name)
        if (table) validate(table)
      }
      tables = draft
    },
    async tables() {
      return [...tables.values()].map(({ name }) => name)
    },
    async outline(table) {
      const held = find(table)
      return (
        held && {
          chains: new Map([...held.chains].map(([name, { hook }]) => [name, hook])),
          sets: new Map([...held.sets].map(([name, { spec }]) => [name, spec])),
        }
      )
    },
    async ruleCount(table, chain) {
      return find(table)?.chains.get(chain)?.rules.length
    },
    async elements(table, set) {
      const held = find(table)?.sets.get(set)
      if (!held) throw new NftError(`no set ${set} in table ${tableText(table)}`)
      return [...held.elements].map(([key, value]) => ({ key, ...(value !== undefined && { value }) }))
    },
    rules: (table, chain) => find(table)?.chains.get(chain)?.rules ?? [],
    send: (packet, origin) => sendPacket(tables.values(), packet, origin),
  }
}

function applyStep(draft: Map<string, HeldTable>, touched: Set<string>, step: NftStep): void {
  const name = tableText(step.table)
  if (step.do === 'add table') {
    if (draft.has(name)) return
    touched.add(name)
    draft.set(name, new HeldTable(step.table))
    return
  }
  let table = draft.get(name)
  if (!table) throw new NftError(`Could not process rule: No such file or directory: table ${name}`)
  if (!touched.has(name)) {
    touched.add(name)
    draft.set(name, (table = new HeldTable(step.table, table)))
  }
  switch (step.do) {
    case 'delete table':
      draft.delete(name)
      touched.delete(name)
      return
    case 'add chain':
      return table.addChain(step.chain, step.hook)
    case 'flush chain':
      return table.flushChain(step.chain)
    case 'delete chain':
      return table.deleteChain(step.chain)
    case 'add rule':
      return table.addRule(step.chain, step.rule)
    case 'add set':
      return table.addSet(step.set, step.spec)
    case 'flush set':
      return table.flushSet(step.set)
    case 'delete set':
      return table.deleteSet(step.set)
    case 'add elements':
      for (const element of step.elements) table.addElement(step.set, element)
      return
    case 'delete elements':
      for (const element of step.elements) table.deleteElement(step.set, element)
      return
  }
}

/** Which statements the kernel takes only under certain hooks. */
const allowed: Readonly<Partial<Record<Statement['kind'], (hook: ChainHook) => boolean>>> = {
  dnat: ({ type, hook }) => type === 'nat' && (hook === 'prerouting' || hook === 'output'),
  masquerade: ({ type, hook }) => type === 'nat' && hook === 'postrouting',
  reject: ({ type, hook }) => type === 'filter' && hook !== 'postrouting',
}

/** The kernel walks all that base chains reach: there is no way back into a chain, and every statement fits the hook. */
function validate(table: HeldTable): void {
  for (const [name, { hook }] of table.chains) if (hook) walk(table, name, hook, { path: new Set(), seen: new Set() })
}

function walk(
  table: HeldTable,
  name: string,
  hook: ChainHook,
  visited: { path: Set<string>; seen: Set<string> },
): void {
  if (visited.path.has(name))
    throw new NftError(`Could not process rule: Too many links: chain ${name} leads back to itself`)
  if (visited.seen.has(name)) return
  visited.path.add(name)
  for (const rule of table.chains.get(name)?.rules ?? []) {
    for (const statement of rule)
      if (allowed[statement.kind]?.(hook) === false)
        throw new NftError(
          `Could not process rule: Operation not supported: ${statement.kind} in chain ${name} under ${hook.type} ${hook.hook}`,
        )
    for (const chain of chainsOf(rule)) walk(table, chain, hook, visited)
    for (const statement of rule)
      if (statement.kind === 'vmap' && statement.set !== undefined)
        for (const chain of chainsOfMap(table, statement.set)) walk(table, chain, hook, visited)
  }
  visited.path.delete(name)
  visited.seen.add(name)
}

function chainsOfMap(table: HeldTable, set: string): string[] {
  return [...(table.sets.get(set)?.elements.values() ?? [])].flatMap((value) => {
    const verdict = parseVerdict(value ?? 'return')
    return 'chain' in verdict ? [verdict.chain] : []
  })
}
