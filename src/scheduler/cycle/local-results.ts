import type { Rejection } from '../framework.ts'

/** What node-local plugins said of one kind of Pod, node by node; an entry holds while the node's generation does. */
export interface LocalResults {
  readonly generations: Float64Array
  /** Undefined: fits. */
  readonly rejections: (Rejection | undefined)[]
  /** Scores that are still to be normalized, by plugin, then node. Like `totals`, filled when a node is first scored at its generation. */
  readonly scores: Map<string, Float64Array>
  /** Weighted sums of the scores that need no normalizing. */
  readonly totals: Float64Array
  readonly scored: Float64Array
}

/** So many kinds of Pods are remembered; the one unused for longest goes. */
const signaturesMax = 64

/**
 * Remembers what does not depend on other nodes, by Pod signature: most Pods are one of many equal ones, and between two of them only the node that took the
 * last one has changed.
 */
export class LocalResultsCache {
  readonly #bySignature = new Map<string, LocalResults>()
  #epoch = -1

  of(signature: string, epoch: number, nodes: number): LocalResults {
    if (epoch !== this.#epoch) {
      this.#bySignature.clear()
      this.#epoch = epoch
    }
    let results = this.#bySignature.get(signature)
    if (results) this.#bySignature.delete(signature)
    else
      results = {
        generations: new Float64Array(nodes).fill(-1),
        rejections: new Array<Rejection | undefined>(nodes),
        scores: new Map(),
        totals: new Float64Array(nodes),
        scored: new Float64Array(nodes).fill(-1),
      }
    this.#bySignature.set(signature, results)
    if (this.#bySignature.size > signaturesMax) this.#bySignature.delete(this.#bySignature.keys().next().value!)
    return results
  }
}
