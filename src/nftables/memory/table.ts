import { isIPv4, isIPv6 } from 'node:net'
import { NftError, isMap } from '../nft.ts'
import type { ChainHook, SetElement, SetSpec, TableName } from '../nft.ts'
import { parseRule, parseVerdict } from './rule.ts'
import type { Statement, Verdict } from './rule.ts'

/** A chain as it is held: replaced, never changed, so that a refused transaction costs nothing. */
export interface HeldChain {
  readonly hook: ChainHook | undefined
  readonly rules: readonly (readonly Statement[])[]
}

/** A set or map as it is held. */
export interface HeldSet {
  readonly spec: SetSpec
  /** Owned by one state of a table; copied before a transaction writes to it. */
  readonly elements: Map<string, string | undefined>
}

const missing = (what: string) => new NftError(`Could not process rule: No such file or directory: ${what}`)
const busy = (what: string) => new NftError(`Could not process rule: Device or resource busy: ${what}`)

/** One table's state during a transaction: what nft and the kernel refuse, this refuses. */
export class HeldTable {
  readonly name: TableName
  readonly chains: Map<string, HeldChain>
  readonly sets: Map<string, HeldSet>
  /** How many rules and map elements point to a chain; a chain that is pointed to cannot go. */
  readonly #uses: Map<string, number>
  /** Sets whose elements this state owns already. */
  readonly #owned = new Set<string>()

  constructor(name: TableName, from?: HeldTable) {
    this.name = name
    this.chains = new Map(from?.chains)
    this.sets = new Map(from?.sets)
    this.#uses = new Map(from ? from.#uses : [])
  }

  addChain(chain: string, hook: ChainHook | undefined): void {
    checkName(chain)
    const known = this.chains.get(chain)
    if (!known) return void this.chains.set(chain, { hook, rules: [] })
    if (
      hook &&
      (known.hook?.hook !== hook.hook || known.hook.type !== hook.type || known.hook.priority !== hook.priority)
    ) {
      throw new NftError(`Could not process rule: Operation not supported: chain ${chain} has another hook`)
    }
  }

  flushChain(chain: string): void {
    const held = this.#chain(chain)
    for (const rule of held.rules) this.#countRule(rule, -1)
    this.chains.set(chain, { ...held, rules: [] })
  }

  deleteChain(chain: string): void {
    this.flushChain(chain)
    if (this.#uses.get(chain)) throw busy(`chain ${chain}`)
    this.chains.delete(chain)
  }

  addRule(chain: string, text: string): void {
    const held = this.#chain(chain)
    let rule
    try {
      rule = parseRule(text)
    } catch (error) {
      throw new NftError(error instanceof Error ? error.message : String(error), { cause: error })
    }
    for (const target of chainsOf(rule)) if (!this.chains.has(target)) throw missing(`chain ${target}`)
    for (const set of setsOf(rule)) if (!this.sets.has(set)) throw missing(`set ${set}`)
    this.#checkSelectors(rule)
    this.#countRule(rule, 1)
    this.chains.set(chain, { ...held, rules: [...held.rules, rule] })
  }

  addSet(set: string, spec: SetSpec): void {
    checkName(set)
    const known = this.sets.get(set)
    if (!known) {
      this.#owned.add(set)
      return void this.sets.set(set, { spec, elements: new Map() })
    }
    if (known.spec.type !== spec.type || !sameFlags(known.spec, spec))
      throw new NftError(`Could not process rule: File exists: set ${set}`)
  }

  flushSet(set: string): void {
    const { spec, elements } = this.#set(set)
    for (const value of elements.values()) this.#countElement(value, -1)
    this.#owned.add(set)
    this.sets.set(set, { spec, elements: new Map() })
  }

  deleteSet(set: string): void {
    this.flushSet(set)
    for (const { rules } of this.chains.values())
      if (rules.some((rule) => setsOf(rule).includes(set))) throw busy(`set ${set}`)
    this.sets.delete(set)
  }

  addElement(set: string, { key, value }: SetElement): void {
    const { spec, elements } = this.#writable(set)
    checkElement(spec, key, value)
    if (elements.has(key)) {
      if (elements.get(key) !== value)
        throw new NftError(`Could not process rule: File exists: element ${key} of ${set}`)
      return
    }
    if (spec.type.endsWith(': verdict')) {
      const verdict = parseVerdict(value ?? '')
      if ('chain' in verdict && !this.chains.has(verdict.chain)) throw missing(`chain ${verdict.chain}`)
    }
    this.#countElement(value, 1)
    elements.set(key, value)
  }

  deleteElement(set: string, { key }: SetElement): void {
    const { elements } = this.#writable(set)
    if (!elements.has(key)) throw missing(`element ${key} of ${set}`)
    this.#countElement(elements.get(key), -1)
    elements.delete(key)
  }

  #chain(chain: string): HeldChain {
    const held = this.chains.get(chain)
    if (!held) throw missing(`chain ${chain}`)
    return held
  }

  #set(set: string): HeldSet {
    const held = this.sets.get(set)
    if (!held) throw missing(`set ${set}`)
    return held
  }

  #writable(set: string): HeldSet {
    const held = this.#set(set)
    if (this.#owned.has(set)) return held
    const copy = { spec: held.spec, elements: new Map(held.elements) }
    this.#owned.add(set)
    this.sets.set(set, copy)
    return copy
  }

  #countRule(rule: readonly Statement[], by: number): void {
    for (const chain of chainsOf(rule)) this.#uses.set(chain, (this.#uses.get(chain) ?? 0) + by)
  }

  #countElement(value: string | undefined, by: number): void {
    const chain = value === undefined ? undefined : /^(?:goto|jump) (.+)$/.exec(value)?.[1]
    if (chain !== undefined) this.#uses.set(chain, (this.#uses.get(chain) ?? 0) + by)
  }

  #checkSelectors(rule: readonly Statement[]): void {
    for (const statement of rule) {
      const set =
        statement.kind === 'matchSet' || statement.kind === 'update' || statement.kind === 'vmap'
          ? statement.set
          : undefined
      if (set === undefined || !('selectors' in statement)) continue
      const wanted = keyTypes(this.#set(set).spec).length
      if (wanted !== statement.selectors.length)
        throw new NftError(`datatype mismatch: set ${set} has ${wanted} parts, the rule ${statement.selectors.length}`)
    }
    for (const selector of rule.flatMap((statement) => ('selectors' in statement ? statement.selectors : []))) {
      if (
        (selector.startsWith('ip ') && this.name.family === 'ip6') ||
        (selector.startsWith('ip6 ') && this.name.family === 'ip')
      )
        throw new NftError(`conflicting protocols specified: ${selector} in a table of ${this.name.family}`)
    }
  }
}

/** The chains that a rule jumps or goes to. */
export const chainsOf = (rule: readonly Statement[]): string[] =>
  rule.flatMap((statement) =>
    statement.kind === 'verdict'
      ? chainOf(statement.verdict)
      : statement.kind === 'vmap'
        ? [...(statement.entries?.values() ?? [])].flatMap(chainOf)
        : [],
  )

const chainOf = (verdict: Verdict): string[] => ('chain' in verdict ? [verdict.chain] : [])

const setsOf = (rule: readonly Statement[]): string[] =>
  rule.flatMap((statement) => ('set' in statement && statement.set !== undefined ? [statement.set] : []))

const sameFlags = (a: SetSpec, b: SetSpec) => [...(a.flags ?? [])].sort().join() === [...(b.flags ?? [])].sort().join()

/** nft's own limit on names. */
const nameLengthMax = 128

function checkName(name: string): void {
  if (!/^[a-zA-Z][a-zA-Z0-9/\\_.-]*$/.test(name)) throw new NftError(`syntax error: "${name}" cannot be a name`)
  if (name.length > nameLengthMax) throw new NftError(`the name ${name} is too long`)
}

const keyTypes = (spec: SetSpec) => spec.type.split(' : ')[0]!.split(' . ')

/** Whether a part of an element is of its type. */
const ofType: Readonly<Record<string, (value: string) => boolean>> = {
  ipv4_addr: (value) => isIPv4(value.replace(/\/\d+$/, '')),
  ipv6_addr: (value) => isIPv6(value.replace(/\/\d+$/, '')),
  inet_proto: (value) => ['tcp', 'udp', 'sctp'].includes(value),
  inet_service: (value) => /^\d+$/.test(value) && Number(value) <= 65535,
}

function checkElement(spec: SetSpec, key: string, value: string | undefined): void {
  const types = keyTypes(spec)
  const parts = key.split(' . ')
  if (parts.length !== types.length) throw new NftError(`datatype mismatch: ${key} for ${spec.type}`)
  types.forEach((type, i) => {
    if (!(ofType[type]?.(parts[i]!) ?? true)) throw new NftError(`datatype mismatch: "${parts[i]}" is no ${type}`)
  })
  if (isMap(spec) !== (value !== undefined))
    throw new NftError(
      isMap(spec) ? `the element ${key} of a map has no value` : `the element ${key} of a set has a value`,
    )
}
