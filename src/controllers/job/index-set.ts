/** Completion indexes as ascending ranges: '0,2-5' is [0,0], [2,5]. Never changed, only replaced. */
export class IndexSet {
  readonly #ranges: readonly (readonly [number, number])[]

  private constructor(ranges: readonly (readonly [number, number])[]) {
    this.#ranges = ranges
  }

  static readonly empty = new IndexSet([])

  /** What a status or a rule says; indexes from `completions` on are left out, nonsense counts as nothing. */
  static parse(text: string | undefined, completions: number): IndexSet {
    if (!text) return IndexSet.empty
    const ranges: [number, number][] = []
    for (const part of text.split(',')) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part)
      if (!match) return IndexSet.empty
      const first = Number(match[1])
      if (first >= completions) break
      ranges.push([first, Math.min(Number(match[2] ?? first), completions - 1)])
    }
    return new IndexSet(ranges)
  }

  static of(indexes: Iterable<number>): IndexSet {
    const ranges: [number, number][] = []
    for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last && last[1] === index - 1) last[1] = index
      else ranges.push([index, index])
    }
    return new IndexSet(ranges)
  }

  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  }

  has(index: number): boolean {
    let low = 0
    let high = this.#ranges.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const [first, last] = this.#ranges[middle] ?? [0, -1]
      if (index < first) high = middle - 1
      else if (index > last) low = middle + 1
      else return true
    }
    return false
  }

  /** The set with these too. */
  with(indexes: Iterable<number>): IndexSet {
    const added = [...indexes].filter((index) => !this.has(index))
    return added.length === 0 ? this : IndexSet.of([...this, ...added])
  }

  /** How many indexes both have. */
  common(other: IndexSet): number {
    let count = 0
    for (const [first, last] of this.#ranges)
      for (const [from, to] of other.#ranges) count += Math.max(0, Math.min(last, to) - Math.max(first, from) + 1)
    return count
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [first, last] of this.#ranges) for (let index = first; index <= last; index++) yield index
  }

  /** As in a status: two in a row are written one by one. */
  toString(): string {
    return this.#ranges
      .map(([first, last]) =>
        first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`,
      )
      .join(',')
  }
}
