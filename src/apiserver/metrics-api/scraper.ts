import type { IncomingMessage } from 'node:http'
import { nodes } from '../../api/generated/resources.ts'
import type { Deps } from '../../base/deps.ts'
import type { KubeletClientOptions } from '../options.ts'
import { sendOn } from '../proxying/forward.ts'
import { kubeletTarget } from '../proxying/kubelet-address.ts'
import type { Lookup } from '../registry/registry.ts'
import { parseResourceMetrics, type NodeSamples } from './resource-samples.ts'

/** What is needed to read kubelets' figures. */
export interface ScraperParts extends Deps {
  readonly lookup: Lookup
  readonly kubelet: KubeletClientOptions
}

/** Two readings of a node, the older undefined as long as there was one only. */
export interface NodeReadings {
  readonly before: NodeSamples | undefined
  readonly after: NodeSamples
}

/** As metrics-server's --metric-resolution. */
const everyMs = 15_000
/** Nobody asked for so long: an idle cluster is left alone. */
const idleAfterMs = 5 * 60_000
/** The first to ask waits so long for a second reading. */
const firstWindowMs = 1000
const answerTimeoutMs = 10_000
const answerBytesMax = 16 << 20
/** A node that does not answer is forgotten after so long. */
const staleMs = 60_000

/** Reads the resource metrics of every node again and again, while somebody wants to know them. */
export class Scraper {
  readonly #parts: ScraperParts
  readonly #nodes = new Map<string, NodeReadings & { readonly readMs: number }>()
  #starting: Promise<void> | undefined
  #askedMs = 0
  #cancel: (() => void) | undefined
  #closed = false

  constructor(parts: ScraperParts) {
    this.#parts = parts
  }

  /** The readings, by node. The first call after a while takes two of them. */
  async readings(): Promise<ReadonlyMap<string, NodeReadings>> {
    this.#askedMs = this.#parts.clock.now()
    if (!this.#cancel) await (this.#starting ??= this.#start().finally(() => (this.#starting = undefined)))
    return this.#nodes
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  async #start(): Promise<void> {
    this.#nodes.clear()
    await this.#scrape()
    await this.#parts.clock.sleep(firstWindowMs)
    await this.#scrape()
    this.#later()
  }

  #later(): void {
    if (this.#closed) return
    const { clock } = this.#parts
    this.#cancel = clock.after(everyMs, () => {
      this.#cancel = undefined
      if (clock.now() - this.#askedMs > idleAfterMs) return
      this.#cancel = () => {}
      this.#scrape().then(
        () => this.#later(),
        () => this.#later(),
      )
    })
  }

  async #scrape(): Promise<void> {
    const { lookup, clock, log } = this.#parts
    const names = lookup.list(nodes).map(({ metadata }) => metadata.name!)
    await Promise.all(
      names.map(async (name) => {
        try {
          const after = parseResourceMetrics(await this.#read(name), clock.now())
          this.#nodes.set(name, { before: this.#nodes.get(name)?.after, after, readMs: clock.now() })
        } catch (error) {
          log.debug({ err: error, node: name }, 'the resource metrics of a node could not be read')
        }
      }),
    )
    for (const [name, { readMs }] of this.#nodes)
      if (!names.includes(name) || clock.now() - readMs > staleMs) this.#nodes.delete(name)
  }

  async #read(node: string): Promise<string> {
    const { lookup, kubelet, clock } = this.#parts
    const target = kubeletTarget(lookup, kubelet, node)
    const answer = await sendOn({
      target,
      method: 'GET',
      path: '/metrics/resource',
      headers: { host: target.origin.host },
    })
    const cancel = clock.after(answerTimeoutMs, () =>
      answer.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`)),
    )
    try {
      const text = await textOf(answer)
      if (answer.statusCode !== 200)
        throw new Error(`request failed, status: "${answer.statusCode} ${answer.statusMessage}"`)
      return text
    } finally {
      cancel()
    }
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part)
    if ((size += part.length) > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`)
  }
  return Buffer.concat(parts).toString()
}
