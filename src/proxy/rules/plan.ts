import type { ChainHook, SetElement, SetSpec } from '../../nftables/nft.ts'

/** A chain as it should be. */
export interface PlannedChain {
  readonly hook?: ChainHook
  readonly rules: readonly string[]
}

/** One owner's share of a table: a Service's, or the frame that all of them hang in. Elements are of sets that the frame declares. */
export interface Plan {
  readonly chains: ReadonlyMap<string, PlannedChain>
  readonly sets: ReadonlyMap<string, SetSpec>
  /** By the name of their set. */
  readonly elements: ReadonlyMap<string, readonly SetElement[]>
}

/** Collects a plan. */
export class PlanDraft implements Plan {
  readonly chains = new Map<string, { hook?: ChainHook; rules: string[] }>()
  readonly sets = new Map<string, SetSpec>()
  readonly elements = new Map<string, SetElement[]>()

  /** The chain, made when it is not there. */
  chain(name: string, ...rules: readonly string[]): void {
    const known = this.chains.get(name)
    if (known) known.rules.push(...rules)
    else this.chains.set(name, { rules: [...rules] })
  }

  baseChain(name: string, hook: ChainHook, ...rules: readonly string[]): void {
    this.chains.set(name, { hook, rules: [...rules] })
  }

  element(set: string, key: string, value?: string): void {
    const element = value === undefined ? { key } : { key, value }
    const known = this.elements.get(set)
    if (known) known.push(element)
    else this.elements.set(set, [element])
  }
}
