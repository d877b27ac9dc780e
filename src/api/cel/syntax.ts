/** An expression as it was written. `at` is where it begins (for a call or an operator, where its sign is), in code points. */
export type Node =
  | {
      readonly op: 'literal'
      readonly at: number
      readonly value: boolean | bigint | number | string | null | Uint8Array | { readonly uint: bigint }
    }
  | { readonly op: 'name'; readonly at: number; readonly name: string }
  | {
      readonly op: 'select'
      readonly at: number
      readonly of: Node
      readonly field: string
      readonly optional: boolean
    }
  | { readonly op: 'index'; readonly at: number; readonly of: Node; readonly index: Node; readonly optional: boolean }
  | {
      readonly op: 'call'
      readonly at: number
      readonly name: string
      readonly target: Node | undefined
      readonly args: readonly Node[]
    }
  | {
      readonly op: 'list'
      readonly at: number
      readonly items: readonly { readonly value: Node; readonly optional: boolean }[]
    }
  | {
      readonly op: 'map'
      readonly at: number
      readonly entries: readonly { readonly key: Node; readonly value: Node; readonly optional: boolean }[]
    }
  | {
      readonly op: 'object'
      readonly at: number
      readonly type: string
      readonly fields: readonly {
        readonly name: string
        readonly value: Node
        readonly optional: boolean
        readonly at: number
      }[]
    }
  | { readonly op: 'and' | 'or'; readonly at: number; readonly left: Node; readonly right: Node }
  | { readonly op: 'if'; readonly at: number; readonly condition: Node; readonly then: Node; readonly else: Node }

/** What is wrong with an expression before it runs, and where. */
export class CelSyntaxError extends Error {
  override name = 'CelSyntaxError'
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** A problem as upstream's compiler shows it: with the line and a mark under the place. */
export function located(source: string, at: number, message: string): string {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1)
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${source.split('\n')[line - 1]}\n | ${'.'.repeat(column)}^`
}
