import type { Node } from './syntax.ts'
import type { CelType } from './types.ts'
import { CelBudgetError, type Value } from './values.ts'

/** A run of an expression: what its names stand for, and how much it may still cost. */
export interface Frame {
  readonly variables: Readonly<Record<string, Value | (() => Value)>>
  /** Values of the comprehensions' variables. */
  readonly locals: Value[]
  readonly budget: Budget
}

/** What runs may cost: each step costs one, and what goes through a text or a list costs more. */
export class Budget {
  left: number
  constructor(left: number) {
    this.left = left
  }

  spend(cost: number): void {
    this.left -= cost
    if (this.left < 0) throw new CelBudgetError('operation cancelled: actual cost limit exceeded')
  }
}

/** Runs a part of an expression. */
export type Run = (frame: Frame) => Value

/** A part that was checked. */
export interface Compiled {
  readonly type: CelType
  readonly run: Run
}

/** Names of comprehensions around a part, and where their values are. */
export interface Scope {
  readonly names: ReadonlyMap<string, { readonly type: CelType; readonly slot: number }>
  readonly size: number
}

/** The scope of a whole expression. */
export const emptyScope: Scope = { names: new Map(), size: 0 }

/** A scope with further names; their slots follow. */
export function inner(
  scope: Scope,
  names: readonly (readonly [name: string, type: CelType])[],
): { scope: Scope; slots: number[] } {
  const all = new Map(scope.names)
  names.forEach(([name, type], i) => all.set(name, { type, slot: scope.size + i }))
  return { scope: { names: all, size: scope.size + names.length }, slots: names.map((_, i) => scope.size + i) }
}

/** Checks a part of an expression and makes it ready to run. */
export interface PartCompiler {
  readonly language: { readonly bindings?: boolean }
  node(node: Node, scope: Scope): Compiled
}
