/** How many keys a block holds before it is split. Larger blocks make insertion slower, smaller ones counting. */
const blockMax = 256

interface Block<Value> {
  readonly keys: string[]
  readonly values: Value[]
}

/**
 * A map of strings that is kept in the order of its keys (by UTF-16 code units). A list of sorted blocks: for the sizes of a cluster (up to some 100,000)
 * an insertion moves at most 256 pointers, and a scan runs over arrays.
 *
 *     blocks: [a c f] [g h k] [m z]      set('d') changes the first block only
 */
export class OrderedMap<Value> {
  readonly #blocks: Block<Value>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): Value | undefined {
    const block = this.#blocks[this.#blockOf(key)]
    if (!block) return undefined
    const at = lowerBound(block.keys, key)
    return block.keys[at] === key ? block.values[at] : undefined
  }

  has(key: string): boolean {
    const block = this.#blocks[this.#blockOf(key)]
    return block !== undefined && block.keys[lowerBound(block.keys, key)] === key
  }

  set(key: string, value: Value): void {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) {
      this.#blocks.push({ keys: [key], values: [value] })
      this.#size++
      return
    }
    const at = lowerBound(block.keys, key)
    if (block.keys[at] === key) {
      block.values[at] = value
      return
    }
    block.keys.splice(at, 0, key)
    block.values.splice(at, 0, value)
    this.#size++
    if (block.keys.length > blockMax) this.#split(index, block)
  }

  delete(key: string): boolean {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (!block) return false
    const at = lowerBound(block.keys, key)
    if (block.keys[at] !== key) return false
    block.keys.splice(at, 1)
    block.values.splice(at, 1)
    this.#size--
    if (block.keys.length === 0) this.#blocks.splice(index, 1)
    return true
  }

  /** Visits entries from the key `from` (inclusive) on to `end` (exclusive; absent: to the last), in order, until `visit` returns false. Do not write meanwhile. */
  scan(from: string, end: string | undefined, visit: (value: Value, key: string) => boolean | void): void {
    let index = this.#blockOf(from)
    let at = index < this.#blocks.length ? lowerBound(this.#blocks[index]!.keys, from) : 0
    for (; index < this.#blocks.length; index++, at = 0) {
      const { keys, values } = this.#blocks[index]!
      const ends = end !== undefined && keys.at(-1)! >= end
      const upTo = ends ? lowerBound(keys, end) : keys.length
      for (; at < upTo; at++) if (visit(values[at]!, keys[at]!) === false) return
      if (ends) return
    }
  }

  /** How many keys lie from `from` (inclusive) to `end` (exclusive; absent: to the last). Costs a step a block, not a key. */
  count(from: string, end: string | undefined): number {
    const upTo = end === undefined ? this.#size : this.#rank(end)
    return Math.max(0, upTo - this.#rank(from))
  }

  /** How many keys are smaller. */
  #rank(key: string): number {
    const index = this.#blockOf(key)
    let rank = 0
    for (let i = 0; i < index; i++) rank += this.#blocks[i]!.keys.length
    const block = this.#blocks[index]
    return block ? rank + lowerBound(block.keys, key) : rank
  }

  /** The block in which the key is or would be inserted: the first whose last key is not smaller, else the last one. */
  #blockOf(key: string): number {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const { keys } = this.#blocks[middle]!
      if (keys[keys.length - 1]! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #split(index: number, block: Block<Value>): void {
    // Keys that come in ascending order would leave every block half full: then split off only the end.
    const half = index === this.#blocks.length - 1 ? block.keys.length - 16 : block.keys.length >> 1
    this.#blocks.splice(index + 1, 0, { keys: block.keys.splice(half), values: block.values.splice(half) })
  }
}

/** The first index whose key is not smaller. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The first key after all that start with `prefix`, as the end of a scan; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const unit = prefix.charCodeAt(at)
    if (unit < 0xffff) return prefix.slice(0, at) + String.fromCharCode(unit + 1)
  }
  return undefined
}
