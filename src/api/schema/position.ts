import { DecodeError } from './decode-error.ts'

/** The way from the root to what is being decoded, kept as a stack so that nothing is made unless an error needs it. */
export class Position {
  depth = 0
  /** Field names, map keys and indices, up to `depth`. */
  readonly path: (string | number)[] = []
  /** For each level the Go name of the struct whose field it is; empty in maps and lists. */
  readonly structs: string[] = []
  readonly unknown: string[] | undefined
  /** Empty lists stay: see `decodeSent`. */
  readonly asSent: boolean
  /** Containers that are in shape stay the same objects: see `reshape`. */
  readonly sharing: boolean
  /** What is known to be in shape. */
  readonly kept: ReadonlySet<unknown> | undefined
  /** The fields that the structs on the way have, each one's after those of the one around it. */
  readonly found: number[] = []
  /** Their values. */
  readonly values: unknown[] = []

  constructor({
    unknown,
    asSent = false,
    sharing = false,
    kept,
  }: {
    readonly unknown?: string[] | undefined
    readonly asSent?: boolean
    readonly sharing?: boolean
    readonly kept?: ReadonlySet<unknown> | undefined
  } = {}) {
    this.unknown = unknown
    this.asSent = asSent
    this.sharing = sharing
    this.kept = kept
  }

  /** 'spec.containers[0].image' */
  strictPath(last: string): string {
    let out = ''
    for (let i = 0; i < this.depth; i++) {
      const step = this.path[i]!
      out += typeof step === 'number' ? `[${step}]` : out ? `.${step}` : step
    }
    return out ? `${out}.${last}` : last
  }

  /** 'Container.spec.containers.image': the innermost struct, then the fields without indices and map keys. */
  goPath(): string {
    let struct = ''
    const fields: (string | number)[] = []
    for (let i = 0; i < this.depth; i++) {
      if (!this.structs[i]) continue
      struct = this.structs[i]!
      fields.push(this.path[i]!)
    }
    return struct && `${struct}.${fields.join('.')}`
  }
}

/** The error for a value of another type than the schema's. */
export function mismatch(at: Position, value: unknown, goType: string): DecodeError {
  const target = goType.replace(/^\*/, '')
  const where = at.goPath()
  return new DecodeError(
    `json: cannot unmarshal ${jsonType(value, target)} into Go ${where ? `struct field ${where}` : 'value'} of type ${target}`,
  )
}

function jsonType(value: unknown, target: string): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number' && /^u?int/.test(target)) return `number ${value}`
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}
