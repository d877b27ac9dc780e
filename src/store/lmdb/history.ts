/** How long history is kept: as long as upstream's API server leaves it in etcd before compaction. */
const historyMs = 5 * 60_000
/** How much is kept at most, whatever its age, so that a storm of writes does not fill the disk. */
const historyBytesMax = 256 * 2 ** 20
/**
 * History is compacted when so many changes are old enough: what an idle cluster writes, a few Lease renewals with every commit, would otherwise make each
 * commit rewrite the log's other end, too.
 */
const agedMin = 200
/** Checkpoints are this far apart, in time or in bytes. */
const checkpointMs = 15_000
const checkpointBytes = 8 * 2 ** 20

interface Checkpoint {
  readonly atMs: number
  readonly revision: number
  readonly bytes: number
}

/** What one commit does for compaction. */
export interface CompactionStep {
  readonly obsolete: readonly number[]
  /** History up to here is gone with it. */
  readonly compacted: number
  readonly changes: number
}

/**
 * The changes after the compacted revision, in order: which record each of them made obsolete. It says what compaction removes, without reading the
 * disk; three numbers a change.
 */
export class History {
  #revisions: number[] = []
  #obsolete: number[] = []
  #tombstones: boolean[] = []
  #first = 0
  #checkpoints: Checkpoint[] = []
  #bytes = 0
  /** Changes up to here are old enough to go. */
  #aged = 0
  /** History up to here is gone. */
  compacted: number
  /** Up to where it shall go. */
  #target: number

  constructor(compacted: number) {
    this.compacted = compacted
    this.#target = compacted
  }

  /** Notes a change. `obsolete`: the revision of the version that it replaced, or 0. */
  add(
    revision: number,
    obsolete: number,
    tombstone: boolean,
    size: { readonly bytes: number; readonly nowMs: number },
  ): void {
    this.#revisions.push(revision)
    this.#obsolete.push(obsolete)
    this.#tombstones.push(tombstone)
    this.#bytes += size.bytes
    const newest = this.#checkpoints.at(-1)
    if (!newest || size.nowMs - newest.atMs >= checkpointMs || this.#bytes - newest.bytes >= checkpointBytes) {
      this.#checkpoints.push({ atMs: size.nowMs, revision, bytes: this.#bytes })
      this.#age(size.nowMs)
    }
  }

  /** Asks for compaction up to a revision. */
  compact(revision: number): void {
    this.#target = Math.max(this.#target, revision)
  }

  /** There is something to compact. */
  get due(): boolean {
    return this.compacted < this.#target
  }

  /**
   * The next step of compaction, over at most so many changes: the records to remove. `newest` is kept whatever it is, since the store's counter rests on
   * it. Nothing has changed until `apply`.
   */
  plan(changesMax: number, newest: number): CompactionStep {
    const obsolete: number[] = []
    let at = this.#first
    const end = Math.min(this.#revisions.length, at + changesMax)
    for (; at < end; at++) {
      const revision = this.#revisions[at]!
      if (revision > this.#target) break
      const replaced = this.#obsolete[at]!
      if (replaced > 0) obsolete.push(replaced)
      // A deletion that is the newest record stays for the next time, which begins with it again.
      if (this.#tombstones[at] && revision === newest) break
      if (this.#tombstones[at]) obsolete.push(revision)
    }
    const next = this.#revisions[at]
    const finished = next === undefined || next > this.#target || next === newest
    const compacted = finished
      ? Math.max(this.compacted, this.#target)
      : at > this.#first
        ? this.#revisions[at - 1]!
        : this.compacted
    return { obsolete, compacted, changes: at - this.#first }
  }

  /** The step's commit is durable. */
  apply(step: CompactionStep): void {
    this.#first += step.changes
    this.compacted = Math.max(this.compacted, step.compacted)
    this.#shrink()
  }

  #age(nowMs: number): void {
    let past: Checkpoint | undefined
    while (
      this.#checkpoints[0] &&
      (this.#checkpoints[0].atMs < nowMs - historyMs || this.#bytes - this.#checkpoints[0].bytes > historyBytesMax)
    )
      past = this.#checkpoints.shift()
    if (!past) return
    this.#aged = past.revision
    if (this.#aged - this.#target >= agedMin) this.compact(this.#aged)
  }

  #shrink(): void {
    if (this.#first < 1024 || this.#first < this.#revisions.length / 2) return
    for (const list of [this.#revisions, this.#obsolete, this.#tombstones]) list.splice(0, this.#first)
    this.#first = 0
  }
}
