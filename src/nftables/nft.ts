/** A table by its name. */
export interface TableName {
  readonly family: 'ip' | 'ip6' | 'inet'
  readonly name: string
}

/** Where the kernel calls a base chain. */
export interface ChainHook {
  readonly type: 'filter' | 'nat' | 'route'
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  /** Lower runs first: raw -300, mangle -150, dstnat -100, filter 0, srcnat 100. */
  readonly priority: number
}

/** What a set or map is made of. It is a map when the type names a value: 'ipv4_addr . inet_service : verdict'. */
export interface SetSpec {
  readonly type: string
  readonly flags?: readonly ('interval' | 'dynamic' | 'timeout')[]
  /** How long an element stays that rules add. */
  readonly timeoutSeconds?: number
}

/** An element of a set, or of a map when it has a value: `{ key: '10.96.0.1 . tcp . 80', value: 'goto web' }`. */
export interface SetElement {
  readonly key: string
  readonly value?: string
}

/**
 * A step of a transaction, as data. Names and rules are nft's own text. Adding what is there already is fine as long as it is the same;
 * deleting or flushing what is not there fails, and so does deleting what is still referred to.
 */
export type NftStep =
  | { readonly do: 'add table' | 'delete table'; readonly table: TableName }
  | {
      readonly do: 'add chain'
      readonly table: TableName
      readonly chain: string
      readonly hook?: ChainHook | undefined
    }
  | { readonly do: 'flush chain' | 'delete chain'; readonly table: TableName; readonly chain: string }
  | { readonly do: 'add rule'; readonly table: TableName; readonly chain: string; readonly rule: string }
  | { readonly do: 'add set'; readonly table: TableName; readonly set: string; readonly spec: SetSpec }
  | { readonly do: 'flush set' | 'delete set'; readonly table: TableName; readonly set: string; readonly spec: SetSpec }
  | {
      readonly do: 'add elements' | 'delete elements'
      readonly table: TableName
      readonly set: string
      readonly elements: readonly SetElement[]
    }

/** What a table holds, without rules and elements: cheap to read even when it is large. */
export interface TableOutline {
  readonly chains: ReadonlyMap<string, ChainHook | undefined>
  /** Sets and maps, not those without a name inside rules. */
  readonly sets: ReadonlyMap<string, SetSpec>
}

/** The kernel's packet rules of one network namespace. */
export interface Nft {
  /** All of the steps or, when it rejects (with an `NftError`), none of them. */
  apply(steps: readonly NftStep[]): Promise<void>
  tables(): Promise<TableName[]>
  /** Undefined when there is no such table. */
  outline(table: TableName): Promise<TableOutline | undefined>
  /** Undefined when there is no such chain or table: how a foreign `nft flush ruleset` is noticed. */
  ruleCount(table: TableName, chain: string): Promise<number | undefined>
  /** Rejects when there is no such set. */
  elements(table: TableName, set: string): Promise<SetElement[]>
}

/** nft refused a transaction; the message has its words. */
export class NftError extends Error {
  override name = 'NftError'
}

/** Whether a set is a map. */
export const isMap = (spec: SetSpec): boolean => spec.type.includes(' : ')
