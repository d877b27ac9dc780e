import { BlockList, isIPv4 } from 'node:net'
import type { ChainHook } from '../nft.ts'
import type { HeldSet, HeldTable } from './table.ts'
import { parseVerdict, splitTarget } from './rule.ts'
import type { Selector, Statement, Verdict } from './rule.ts'

/** The first packet of a connection, and what the kernel knows of it. */
export interface Packet {
  readonly source: string
  readonly destination: string
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly sourcePort?: number
  readonly destinationPort: number
  readonly mark?: number
  readonly inInterface?: string
  readonly outInterface?: string
  /** Whether an address is one of the node's own. */
  readonly isLocal: (address: string) => boolean
  /** A number in [0, 1): what `numgen random` draws. */
  readonly random: () => number
}

/** What became of a packet. */
export interface Outcome {
  readonly verdict: 'accept' | 'drop' | 'reject'
  readonly destination: string
  readonly destinationPort: number
  /** Its source is replaced by the node's address. */
  readonly masqueraded: boolean
  readonly translated: boolean
}

interface Travelling {
  readonly packet: Packet
  destination: string
  destinationPort: number
  mark: number
  translated: boolean
  masqueraded: boolean
}

type End = 'accept' | 'drop' | 'reject'

/** Sends a connection's first packet past the hooks in the kernel's order. `origin`: 'outside' comes in by an interface, 'local' from a process of the node. */
export function sendPacket(tables: Iterable<HeldTable>, packet: Packet, origin: 'outside' | 'local'): Outcome {
  const state: Travelling = {
    packet,
    destination: packet.destination,
    destinationPort: packet.destinationPort,
    mark: packet.mark ?? 0,
    translated: false,
    masqueraded: false,
  }
  const all = [...tables]
  const done = (verdict: End): Outcome => ({
    verdict,
    destination: state.destination,
    destinationPort: state.destinationPort,
    masqueraded: state.masqueraded,
    translated: state.translated,
  })
  const path = (): ChainHook['hook'][] => {
    const local = packet.isLocal(state.destination)
    if (origin === 'local') return local ? ['postrouting', 'input'] : ['postrouting']
    return local ? ['input'] : ['forward', 'postrouting']
  }
  const first = runHook(all, origin === 'local' ? 'output' : 'prerouting', state)
  if (first !== 'accept') return done(first)
  for (const hook of path()) {
    const end = runHook(all, hook, state)
    if (end !== 'accept') return done(end)
  }
  return done('accept')
}

function runHook(tables: readonly HeldTable[], hook: ChainHook['hook'], state: Travelling): End {
  const family = isIPv4(state.destination) ? 'ip' : 'ip6'
  const chains = tables
    .filter(({ name }) => name.family === family || name.family === 'inet')
    .flatMap((table) =>
      [...table.chains].flatMap(([name, chain]) =>
        chain.hook?.hook === hook ? [{ table, name, hook: chain.hook }] : [],
      ),
    )
    .sort((a, b) => a.hook.priority - b.hook.priority)
  for (const { table, name } of chains) {
    const end = runChain(table, name, state)
    if (end === 'drop' || end === 'reject') return end
  }
  return 'accept'
}

/** Undefined: the chain came to its end without a verdict. */
function runChain(table: HeldTable, name: string, state: Travelling): End | undefined {
  for (const rule of table.chains.get(name)?.rules ?? []) {
    for (const statement of rule) {
      const step = runStatement(table, statement, state)
      if (step === 'next rule') break
      if (step === undefined) continue
      if (step === 'accept' || step === 'drop' || step === 'reject') return step
      if (!('chain' in step)) {
        if (step.to === 'return') return undefined
        if (step.to === 'continue') break
        return step.to
      }
      const end = runChain(table, step.chain, state)
      if (end !== undefined || step.to === 'goto') return end
    }
  }
  return undefined
}

function runStatement(
  table: HeldTable,
  statement: Statement,
  state: Travelling,
): End | Verdict | 'next rule' | undefined {
  switch (statement.kind) {
    case 'match': {
      const value = keyOf(statement.selectors, state)
      const found = value !== undefined && statement.values.some((wanted) => matches(wanted, value))
      return value !== undefined && found !== statement.negated ? undefined : 'next rule'
    }
    case 'matchSet': {
      const value = keyOf(statement.selectors, state)
      return value !== undefined && contains(table.sets.get(statement.set), value) !== statement.negated
        ? undefined
        : 'next rule'
    }
    case 'vmap': {
      const value = keyOf(statement.selectors, state) ?? ''
      if (statement.entries) return statement.entries.get(value) ?? 'next rule'
      const verdict = table.sets.get(statement.set ?? '')?.elements.get(value)
      return verdict === undefined ? 'next rule' : parseVerdict(verdict)
    }
    case 'verdict':
      return statement.verdict
    case 'reject':
      return 'reject'
    case 'masquerade':
      state.masqueraded = true
      return 'accept'
    case 'counter':
      return undefined
    case 'mark':
      state.mark = {
        set: statement.value,
        or: state.mark | statement.value,
        xor: state.mark ^ statement.value,
        and: state.mark & statement.value,
      }[statement.operation]
      return undefined
    case 'dnat':
      return translate(statement, state)
    case 'update': {
      const value = keyOf(statement.selectors, state)
      // Rules write to sets outside of any transaction, so this does too.
      if (value !== undefined) table.sets.get(statement.set)?.elements.set(value, undefined)
      return undefined
    }
  }
}

function translate(statement: Statement & { kind: 'dnat' }, state: Travelling): End | 'next rule' {
  const choice = statement.choice === undefined ? '' : selected(statement.choice, state)
  const target = statement.targets.find(([key]) => key === choice)?.[1]
  if (target === undefined) return 'next rule'
  const { address, port } = splitTarget(target)
  state.destination = address
  state.destinationPort = port ?? state.destinationPort
  state.translated = true
  return 'accept'
}

/** Whether a set holds a value; addresses may be in one of its ranges. */
function contains(set: HeldSet | undefined, value: string): boolean {
  if (!set) return false
  if (set.elements.has(value)) return true
  return (
    set.spec.flags?.includes('interval') === true && [...set.elements.keys()].some((wanted) => matches(wanted, value))
  )
}

function matches(wanted: string, value: string): boolean {
  if (!wanted.includes('/')) return wanted === value || (wanted.endsWith('*') && value.startsWith(wanted.slice(0, -1)))
  const [network = '', prefix] = wanted.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), isIPv4(network) ? 'ipv4' : 'ipv6')
  return list.check(value, isIPv4(value) ? 'ipv4' : 'ipv6')
}

function keyOf(selectors: readonly Selector[], state: Travelling): string | undefined {
  const parts = selectors.map((selector) => selected(selector, state))
  return parts.includes(undefined) ? undefined : parts.join(' . ')
}

/** A selector's value; undefined when the packet has none (its protocol is another). */
function selected(selector: Selector, state: Travelling): string | undefined {
  const { packet } = state
  const port = /^(th|tcp|udp|sctp) ([ds])port$/.exec(selector)
  if (port) {
    if (port[1] !== 'th' && port[1] !== packet.protocol) return undefined
    return String(port[2] === 'd' ? state.destinationPort : (packet.sourcePort ?? 0))
  }
  const masked = /^meta mark and (\d+)$/.exec(selector)
  if (masked) return String(state.mark & Number(masked[1]))
  const drawn = /^numgen random mod (\d+)$/.exec(selector)
  if (drawn) return String(Math.floor(packet.random() * Number(drawn[1])))
  const family = isIPv4(packet.source) ? 'ip' : 'ip6'
  switch (selector) {
    case `${family} saddr`:
      return packet.source
    case `${family} daddr`:
      return state.destination
    case 'meta l4proto':
      return packet.protocol
    case 'meta mark':
      return String(state.mark)
    case 'meta nfproto':
      return family === 'ip' ? 'ipv4' : 'ipv6'
    case 'ct state':
      return 'new'
    case 'ct status':
      return state.translated ? 'dnat' : ''
    case 'iifname':
      return packet.inInterface ?? ''
    case 'oifname':
      return packet.outInterface ?? ''
    case 'fib saddr type':
      return packet.isLocal(packet.source) ? 'local' : 'unicast'
    case 'fib daddr type':
      return packet.isLocal(state.destination) ? 'local' : 'unicast'
    default:
      return undefined
  }
}
