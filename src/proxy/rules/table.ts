import type { NftStep, SetElement, SetSpec, TableName, TableOutline } from '../../nftables/nft.ts'
import type { Plan, PlannedChain } from './plan.ts'

interface Claim {
  readonly owner: string
  readonly value: string | undefined
}

/** Steps to take, and what to call when they were taken. */
export interface Change {
  readonly steps: readonly NftStep[]
  /** Chains that nothing leads to any more. Kernels before 6.2 notice that only a moment after the transaction, so they are emptied in it and deleted later. */
  readonly stale: readonly string[]
  commit(): void
}

/** Sets that rules, not this program, fill: kept over a restart. */
const isDynamic = (spec: SetSpec) => spec.flags?.includes('dynamic') === true

/**
 * A table as it should be, put together from its owners' plans, beside what was last applied. `change` gives the difference, looking only at
 * what was touched since. Two owners may claim one element (the same external address and port): the first by name has it, and the next one gets it when that goes.
 */
export class PlannedTable {
  readonly name: TableName
  readonly #plans = new Map<string, Plan>()
  /** Every element's claims, by set and key, in the order of their owners' names. */
  readonly #claims = new Map<string, Map<string, readonly Claim[]>>()
  readonly #applied = {
    chains: new Map<string, PlannedChain>(),
    sets: new Map<string, SetSpec>(),
    elements: new Map<string, Map<string, string | undefined>>(),
  }
  readonly #planned = { chains: new Map<string, PlannedChain>(), sets: new Map<string, SetSpec>() }
  readonly #touched = { chains: new Set<string>(), sets: new Set<string>(), elements: new Map<string, Set<string>>() }

  constructor(name: TableName) {
    this.name = name
  }

  /** Whether a chain is planned. */
  hasChain(name: string): boolean {
    return this.#planned.chains.has(name)
  }

  /** Puts an owner's plan in the place of its last one; undefined takes it away. Not between `change` and its `commit`. */
  set(owner: string, plan: Plan | undefined): void {
    const old = this.#plans.get(owner)
    if (plan) this.#plans.set(owner, plan)
    else this.#plans.delete(owner)
    this.#replaceNamed(this.#planned.chains, this.#touched.chains, old?.chains, plan?.chains)
    this.#replaceNamed(this.#planned.sets, this.#touched.sets, old?.sets, plan?.sets)
    for (const [set, elements] of old?.elements ?? []) for (const { key } of elements) this.#unclaim(set, key, owner)
    for (const [set, elements] of plan?.elements ?? [])
      for (const { key, value } of elements) this.#claim(set, key, { owner, value })
  }

  /** The owners that have a plan. */
  owners(): string[] {
    return [...this.#plans.keys()]
  }

  /** Whether nothing was touched since the last commit. */
  get settled(): boolean {
    return this.#touched.chains.size === 0 && this.#touched.sets.size === 0 && this.#touched.elements.size === 0
  }

  /** What leads from what was last applied to what is planned. */
  change(): Change {
    const chains = [...this.#touched.chains].filter(
      (name) => !sameChain(this.#applied.chains.get(name), this.#planned.chains.get(name)),
    )
    const sets = [...this.#touched.sets].filter(
      (name) => !sameSet(this.#applied.sets.get(name), this.#planned.sets.get(name)),
    )
    const removed: NftStep[] = []
    const added: NftStep[] = []
    for (const [set, keys] of this.#touched.elements) this.#changeElements(set, keys, removed, added)
    const gone = chains.filter((name) => this.#applied.chains.has(name))
    const here = chains.filter((name) => this.#planned.chains.has(name))
    const steps = [
      ...removed,
      ...gone.map((chain) => this.#step({ do: 'flush chain', chain })),
      ...sets.flatMap((set) => this.#removeSet(set, this.#applied.sets.get(set))),
      ...this.#addAll(here, sets),
      ...added,
    ]
    return { steps, stale: gone.filter((name) => !this.#planned.chains.has(name)), commit: () => this.#commit() }
  }

  /** What leads from whatever the kernel has (`found`) to what is planned, in one transaction: connections that are open go on, and clients stay with their endpoints. */
  takeOver(found: TableOutline | undefined): Change {
    const hooked = (name: string) => this.#planned.chains.get(name)?.hook
    // A chain cannot get another hook; it has to go and come again.
    const moved = [...(found?.chains ?? [])]
      .filter(([name, hook]) => this.#planned.chains.has(name) && JSON.stringify(hook) !== JSON.stringify(hooked(name)))
      .map(([name]) => name)
    const steps: NftStep[] = [this.#step({ do: 'add table' })]
    for (const chain of found?.chains.keys() ?? []) steps.push(this.#step({ do: 'flush chain', chain }))
    for (const [set, spec] of found?.sets ?? []) {
      const planned = this.#planned.sets.get(set)
      if (!planned || !sameSet(spec, planned)) steps.push(...this.#removeSet(set, spec))
      else if (!isDynamic(planned)) steps.push(this.#step({ do: 'flush set', set, spec }))
    }
    for (const chain of moved) steps.push(this.#step({ do: 'delete chain', chain }))
    steps.push(...this.#addAll([...this.#planned.chains.keys()], [...this.#planned.sets.keys()]))
    for (const [set, claims] of this.#claims)
      steps.push(
        this.#step({
          do: 'add elements',
          set,
          elements: [...claims].map(([key, [first]]) => elementOf(key, first?.value)),
        }),
      )
    const stale = [...(found?.chains.keys() ?? [])].filter((name) => !this.#planned.chains.has(name))
    return { steps, stale, commit: () => this.#commitAll() }
  }

  #addAll(chains: readonly string[], sets: readonly string[]): NftStep[] {
    return [
      ...sets.flatMap((set) => this.#addSet(set, this.#planned.sets.get(set))),
      ...chains.map((chain) => this.#step({ do: 'add chain', chain, hook: this.#planned.chains.get(chain)?.hook })),
      ...chains.flatMap((chain) =>
        (this.#planned.chains.get(chain)?.rules ?? []).map((rule) => this.#step({ do: 'add rule', chain, rule })),
      ),
    ]
  }

  #addSet(set: string, spec: SetSpec | undefined): NftStep[] {
    return spec ? [this.#step({ do: 'add set', set, spec })] : []
  }

  #removeSet(set: string, spec: SetSpec | undefined): NftStep[] {
    return spec ? [this.#step({ do: 'delete set', set, spec })] : []
  }

  #changeElements(set: string, keys: ReadonlySet<string>, removed: NftStep[], added: NftStep[]): void {
    const applied = this.#applied.elements.get(set)
    const out: SetElement[] = []
    const into: SetElement[] = []
    for (const key of keys) {
      const claim = this.#claims.get(set)?.get(key)?.[0]
      const wasThere = applied?.has(key) === true
      if (wasThere && claim && applied.get(key) === claim.value) continue
      if (wasThere) out.push({ key })
      if (claim) into.push(elementOf(key, claim.value))
    }
    if (out.length > 0) removed.push(this.#step({ do: 'delete elements', set, elements: out }))
    if (into.length > 0) added.push(this.#step({ do: 'add elements', set, elements: into }))
  }

  #claim(set: string, key: string, claim: Claim): void {
    this.#touchElement(set, key)
    let claims = this.#claims.get(set)
    if (!claims) this.#claims.set(set, (claims = new Map()))
    const others = claims.get(key)?.filter(({ owner }) => owner !== claim.owner)
    claims.set(key, others?.length ? [...others, claim].sort((a, b) => (a.owner < b.owner ? -1 : 1)) : [claim])
  }

  #unclaim(set: string, key: string, owner: string): void {
    this.#touchElement(set, key)
    const claims = this.#claims.get(set)
    const left = claims?.get(key)?.filter((claim) => claim.owner !== owner)
    if (left?.length) claims?.set(key, left)
    else claims?.delete(key)
  }

  #touchElement(set: string, key: string): void {
    const touched = this.#touched.elements.get(set)
    if (touched) touched.add(key)
    else this.#touched.elements.set(set, new Set([key]))
  }

  #replaceNamed<Item>(
    planned: Map<string, Item>,
    touched: Set<string>,
    old: ReadonlyMap<string, Item> | undefined,
    plan: ReadonlyMap<string, Item> | undefined,
  ): void {
    for (const name of old?.keys() ?? []) {
      planned.delete(name)
      touched.add(name)
    }
    for (const [name, item] of plan ?? []) {
      planned.set(name, item)
      touched.add(name)
    }
  }

  #commit(): void {
    settle(this.#applied.chains, this.#planned.chains, this.#touched.chains)
    settle(this.#applied.sets, this.#planned.sets, this.#touched.sets)
    for (const [set, keys] of this.#touched.elements) {
      let applied = this.#applied.elements.get(set)
      if (!applied) this.#applied.elements.set(set, (applied = new Map()))
      for (const key of keys) {
        const claim = this.#claims.get(set)?.get(key)?.[0]
        if (claim) applied.set(key, claim.value)
        else applied.delete(key)
      }
    }
    this.#touched.elements.clear()
  }

  #commitAll(): void {
    this.#applied.chains.clear()
    this.#applied.sets.clear()
    this.#applied.elements.clear()
    for (const name of this.#planned.chains.keys()) this.#touched.chains.add(name)
    for (const name of this.#planned.sets.keys()) this.#touched.sets.add(name)
    for (const [set, claims] of this.#claims) for (const key of claims.keys()) this.#touchElement(set, key)
    this.#commit()
  }

  #step<Step extends Unnamed<NftStep>>(step: Step): NftStep {
    return { ...step, table: this.name } as unknown as NftStep
  }
}

/** A step before it is said of which table. */
type Unnamed<Step> = Step extends NftStep ? Omit<Step, 'table'> : never

const elementOf = (key: string, value: string | undefined): SetElement =>
  value === undefined ? { key } : { key, value }

function settle<Item>(applied: Map<string, Item>, planned: ReadonlyMap<string, Item>, touched: Set<string>): void {
  for (const name of touched) {
    const item = planned.get(name)
    if (item === undefined) applied.delete(name)
    else applied.set(name, item)
  }
  touched.clear()
}

function sameChain(a: PlannedChain | undefined, b: PlannedChain | undefined): boolean {
  if (a === b) return true
  if (!a || !b || a.rules.length !== b.rules.length || JSON.stringify(a.hook) !== JSON.stringify(b.hook)) return false
  return a.rules.every((rule, i) => rule === b.rules[i])
}

/** Whether two sets hold the same kind of thing. `dynamic` does not count: nft's JSON leaves it out in some versions. */
const sameSet = (a: SetSpec | undefined, b: SetSpec | undefined): boolean =>
  a?.type === b?.type && a?.timeoutSeconds === b?.timeoutSeconds && flagsOf(a) === flagsOf(b)

const flagsOf = (spec: SetSpec | undefined): string =>
  (spec?.flags ?? [])
    .filter((flag) => flag !== 'dynamic')
    .sort()
    .join()
