/** Labels of one sample, by name. */
export type Labels = Readonly<Record<string, string>>

/** A number that only grows. */
export interface Counter {
  add(labels?: Labels, by?: number): void
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void
  add(by: number, labels?: Labels): void
  /** Forgets the sample with these labels. */
  remove(labels: Labels): void
}

/** A distribution in buckets. */
export interface Histogram {
  observe(value: number, labels?: Labels): void
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  write(out: string[]): void
}

/** A component's metrics, written in Prometheus' text format. A name is declared once; declaring it again returns the same one. */
export class Metrics {
  readonly #families = new Map<string, Family>()
  readonly #collectors: (() => void)[] = []

  counter(name: string, help: string): Counter {
    return this.#declare(name, () => new Values(name, help, 'counter')) as Values
  }

  gauge(name: string, help: string): Gauge {
    return this.#declare(name, () => new Values(name, help, 'gauge')) as Values
  }

  /** `buckets` are the upper bounds, ascending, without +Inf. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    return this.#declare(name, () => new Buckets(name, help, buckets)) as Buckets
  }

  /** A family whose lines `write` makes at each scrape: for what is counted elsewhere, faster than by labels. */
  family(name: string, help: string, type: 'counter' | 'gauge' | 'histogram', write: (out: string[]) => void): void {
    this.#families.set(name, { name, help, type, write })
  }

  /** Calls `collect` before each scrape: for gauges that are read from something. */
  onScrape(collect: () => void): void {
    this.#collectors.push(collect)
  }

  /** Prometheus' text format, version 0.0.4. */
  text(): string {
    for (const collect of this.#collectors) collect()
    const out: string[] = []
    for (const family of [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      out.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`)
      family.write(out)
    }
    return out.join('\n') + '\n'
  }

  #declare(name: string, make: () => Family): Family {
    const known = this.#families.get(name)
    if (known) return known
    const made = make()
    this.#families.set(name, made)
    return made
  }
}

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** Labels as they are written between braces; the key under which a sample is kept. */
function labelText(labels: Labels | undefined): string {
  if (!labels) return ''
  let out = ''
  for (const name in labels) {
    const value = labels[name]!
    out += `${out && ','}${name}="${/[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (c) => escapes[c]!) : value}"`
  }
  return out
}

class Values implements Family, Counter, Gauge {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly #samples = new Map<string, number>()

  constructor(name: string, help: string, type: 'counter' | 'gauge') {
    this.name = name
    this.help = help
    this.type = type
  }

  add(first?: Labels | number, second?: Labels | number): void {
    const [by, labels] =
      typeof first === 'number' ? [first, second as Labels | undefined] : [(second as number | undefined) ?? 1, first]
    const key = labelText(labels)
    this.#samples.set(key, (this.#samples.get(key) ?? 0) + by)
  }

  set(value: number, labels?: Labels): void {
    this.#samples.set(labelText(labels), value)
  }

  remove(labels: Labels): void {
    this.#samples.delete(labelText(labels))
  }

  write(out: string[]): void {
    for (const [labels, value] of this.#samples) out.push(`${this.name}${labels && `{${labels}}`} ${value}`)
  }
}

class Buckets implements Family, Histogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly #bounds: readonly number[]
  /** For each set of labels: a count a bucket (not cumulative), then the count above all, then the sum. */
  readonly #samples = new Map<string, Float64Array>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
  }

  observe(value: number, labels?: Labels): void {
    const key = labelText(labels)
    let counts = this.#samples.get(key)
    if (!counts) this.#samples.set(key, (counts = new Float64Array(this.#bounds.length + 2)))
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    counts[bucket]!++
    counts[this.#bounds.length + 1]! += value
  }

  write(out: string[]): void {
    for (const [labels, counts] of this.#samples) {
      const prefix = labels && `${labels},`
      let total = 0
      this.#bounds.forEach((bound, i) =>
        out.push(`${this.name}_bucket{${prefix}le="${bound}"} ${(total += counts[i]!)}`),
      )
      total += counts[this.#bounds.length]!
      const braces = labels && `{${labels}}`
      out.push(
        `${this.name}_bucket{${prefix}le="+Inf"} ${total}`,
        `${this.name}_sum${braces} ${counts[this.#bounds.length + 1]}`,
        `${this.name}_count${braces} ${total}`,
      )
    }
  }
}
