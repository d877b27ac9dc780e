import { formatAddress, parseRange, type IpRange } from '../framework/ip-range.ts'

/** Hands out ranges of one size from a larger one, each once; in turn, so that a range that was given back rests for a while. */
export class CidrSet {
  readonly #whole: IpRange
  readonly #prefix: number
  readonly #count: number
  readonly #used = new Set<number>()
  #next = 0

  /** `prefix`: of the ranges that are handed out. */
  constructor(whole: string, prefix: number) {
    this.#whole = parseRange(whole)
    this.#prefix = prefix
    const extra = prefix - this.#whole.prefix
    if (extra < 0 || extra > 16)
      throw new Error(
        `the cluster's range ${whole} cannot be cut into ranges of /${prefix}: at most 65536 of them, and each smaller than the whole`,
      )
    this.#count = 2 ** extra
  }

  get isIPv6(): boolean {
    return this.#whole.bits === 128
  }

  /** A range that nobody has; undefined when there is none left. */
  allocate(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const candidate = (this.#next + i) % this.#count
      if (this.#used.has(candidate)) continue
      this.#used.add(candidate)
      this.#next = (candidate + 1) % this.#count
      return this.#text(candidate)
    }
    return undefined
  }

  /** Somebody has this range, which may also be larger or lie outside. */
  occupy(cidr: string): void {
    for (const index of this.#covered(cidr)) this.#used.add(index)
  }

  release(cidr: string): void {
    for (const index of this.#covered(cidr)) this.#used.delete(index)
  }

  *#covered(cidr: string): Generator<number> {
    const range = parseRange(cidr)
    if (range.bits !== this.#whole.bits) return
    const size = 1n << BigInt(this.#whole.bits - this.#prefix)
    const end = range.first + (1n << BigInt(range.bits - range.prefix)) - 1n
    const from = range.first <= this.#whole.first ? 0n : (range.first - this.#whole.first) / size
    const to = end < this.#whole.first ? -1n : (end - this.#whole.first) / size
    for (let index = from; index <= to && index < BigInt(this.#count); index++) yield Number(index)
  }

  #text(index: number): string {
    const size = 1n << BigInt(this.#whole.bits - this.#prefix)
    return `${formatAddress(this.#whole.first + BigInt(index) * size, this.#whole.bits)}/${this.#prefix}`
  }
}
