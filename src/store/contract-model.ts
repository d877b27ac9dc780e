import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { OpenStore } from './contract.ts'
import { CompactedError } from './store.ts'
import type { Change, Expected, Store } from './store.ts'

/** What is asked of the store. Several at a time are called without waiting in between. */
type Step =
  | { readonly do: 'put'; readonly key: string; readonly expected: Expected | 'right'; readonly lazy: boolean }
  | { readonly do: 'delete'; readonly key: string; readonly expected: Expected | 'right'; readonly last: boolean }
  | { readonly do: 'compact'; readonly back: number }
  | { readonly do: 'watch'; readonly back: number; readonly prefix: string }
  | { readonly do: 'read'; readonly back: number; readonly prefix: string; readonly limit: number }

const key = fc.constantFrom('/a/1', '/a/2', '/a/3', '/ab', '/b/1', '/b/2')
const prefix = fc.constantFrom('/', '/a', '/a/', '/b/', '/none/')
const expected = fc.oneof(
  fc.constant<'right'>('right'),
  fc.constant<'any'>('any'),
  fc.constant<'absent'>('absent'),
  fc.integer({ min: 1, max: 9 }),
)
const back = fc.integer({ min: 0, max: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), key, expected, lazy: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), key, expected, last: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), back, prefix }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('read' as const), back, prefix, limit: fc.integer({ min: 1, max: 7 }) }),
  },
)

interface Version {
  readonly key: string
  readonly text: string
  readonly created: number
  readonly modified: number
}

interface Told {
  readonly revision: number
  readonly key: string
  readonly text: string
}

/** The store as a list of states: slow, and plainly right. */
class Model {
  /** By revision: all keys and their versions. */
  readonly states: Map<string, Version>[] = [new Map(), new Map()]
  readonly told: Told[] = []
  compacted = 1

  get revision(): number {
    return this.states.length - 1
  }

  now(key: string): Version | undefined {
    return this.states.at(-1)!.get(key)
  }

  write(key: string, text: string | undefined, told: string): void {
    const state = new Map(this.states.at(-1))
    const modified = this.states.length
    if (text === undefined) state.delete(key)
    else state.set(key, { key, text, created: state.get(key)?.created ?? modified, modified })
    this.states.push(state)
    this.told.push({ revision: modified, key, text: told })
  }

  under(prefix: string, revision: number): Version[] {
    return [...this.states[revision]!.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }
}

/** Runs random steps on the store and on the model; every answer and everything watched must agree. */
export function modelProperty(open: OpenStore) {
  return fc.asyncProperty(
    fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 14 }),
    async (rounds) => {
      const { store, close } = await open()
      const run = new Run(store)
      try {
        for (const round of rounds) await Promise.all(round.map((each) => run.step(each)))
        await run.end()
      } finally {
        await close()
      }
    },
  )
}

class Run {
  readonly #store: Store
  readonly #model = new Model()
  readonly #watches: { prefix: string; after: number; heard: Told[] }[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** The model moves when the call is made: revisions follow the order of calls. */
  async step(step: Step): Promise<void> {
    if (step.do === 'put') return this.#put(step)
    if (step.do === 'delete') return this.#delete(step)
    if (step.do === 'read') return this.#read(step)
    if (step.do === 'watch') return this.#watch(step)
    return this.#compact(step)
  }

  async end(): Promise<void> {
    const model = this.#model
    assert.equal(this.#store.revision(), model.revision)
    for (const { prefix, after, heard } of this.#watches) {
      assert.deepEqual(
        heard,
        model.told.filter((told) => told.revision > after && told.key.startsWith(prefix)),
      )
    }
    for (let revision = model.compacted; revision <= model.revision; revision++) await this.#compare('/', revision, 100)
    const { changes } = await this.#store.history('/', model.compacted)
    assert.deepEqual(
      changes.map(toldOf),
      model.told.filter(({ revision }) => revision > model.compacted),
    )
  }

  async #put({ key, expected, lazy }: Step & { do: 'put' }): Promise<void> {
    const current = this.#model.now(key)
    const wanted = expected === 'right' ? (current?.modified ?? 'absent') : expected
    const fits = wanted === 'any' || (wanted === 'absent' ? !current : current?.modified === wanted)
    const revision = this.#model.revision + 1
    if (fits) this.#model.write(key, `${key}@${revision}`, `${key}@${revision}`)
    const result = await this.#store.put(
      key,
      (at) => ({ bytes: Buffer.from(`${key}@${at}`) }),
      wanted,
      lazy ? { lazyMs: 1000 } : undefined,
    )
    assert.equal(result.written, fits)
    if (result.written) assert.equal(result.entry.modRevision, revision)
    else assert.equal(result.current?.modRevision, current?.modified)
  }

  async #delete({ key, expected, last }: Step & { do: 'delete' }): Promise<void> {
    const current = this.#model.now(key)
    const wanted = expected === 'right' ? (current?.modified ?? 'any') : expected
    const fits = current !== undefined && (wanted === 'any' || current.modified === wanted)
    if (fits) this.#model.write(key, undefined, last ? `last@${this.#model.revision + 1}` : current.text)
    const result = await this.#store.delete(
      key,
      wanted,
      last ? (at) => ({ bytes: Buffer.from(`last@${at}`) }) : undefined,
    )
    assert.equal(result.written, fits)
  }

  async #read({ back, prefix, limit }: Step & { do: 'read' }): Promise<void> {
    // The past only: what is being written at this moment may or may not be there yet.
    const revision = Math.min(this.#store.revision(), this.#model.revision - back)
    if (revision >= this.#store.compactedRevision()) await this.#compare(prefix, revision, limit)
  }

  async #compare(prefix: string, revision: number, limit: number): Promise<void> {
    const want = this.#model.under(prefix, revision)
    let result
    try {
      result = await this.#store.range(prefix, { revision, limit })
    } catch (error) {
      if (error instanceof CompactedError) return
      throw error
    }
    const { entries, more, count } = result
    const got = entries.map(({ key, value, createRevision, modRevision }) => ({
      key,
      text: Buffer.from(value.bytes).toString(),
      created: createRevision,
      modified: modRevision,
    }))
    assert.deepEqual({ got, more, count }, { got: want.slice(0, limit), more: want.length > limit, count: want.length })
  }

  async #watch({ back, prefix }: Step & { do: 'watch' }): Promise<void> {
    const after = Math.max(this.#store.compactedRevision(), this.#model.revision - back)
    const heard: Told[] = []
    this.#store.watch(prefix, after, (changes) => heard.push(...changes.map(toldOf)))
    this.#watches.push({ prefix, after, heard })
  }

  async #compact({ back }: Step & { do: 'compact' }): Promise<void> {
    const revision = Math.min(this.#store.revision(), this.#model.revision - back)
    if (revision < Math.max(this.#store.compactedRevision(), this.#model.compacted)) return
    this.#model.compacted = revision
    try {
      await this.#store.compact(revision)
    } catch (error) {
      // Another compaction of the same round was further.
      if (!(error instanceof CompactedError)) throw error
    }
  }
}

const toldOf = ({ revision, key, entry }: Change): Told => ({
  revision,
  key,
  text: Buffer.from(entry.value.bytes).toString(),
})
