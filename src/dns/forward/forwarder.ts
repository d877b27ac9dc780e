import { createSocket } from 'node:dgram'
import type { Socket as UdpSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Deps } from '../../base/deps.ts'
import { flags, headerLength, parseQuery } from '../wire/query.ts'
import type { Query } from '../wire/query.ts'
import type { Upstream } from './resolv-conf.ts'

/** Asks other resolvers. */
export interface Forwarder {
  /** The answer with the question's id; undefined when nobody answers, or nobody is there to ask. */
  ask(message: Buffer, query: Query, transport: 'udp' | 'tcp'): Promise<Buffer | undefined>
  /** Whether a question is one of our own that came back: then a resolver asks us, and must not be asked. */
  isOwnProbe(name: string): boolean
  /** Finds resolvers that ask us. */
  probe(): Promise<void>
  close(): void
}

/** One resolver gets this long, as the C library gives it. */
const attemptMs = 2000
/** Who leaves so many questions unanswered, one after the other, is asked last … */
const unansweredMax = 2
/** … for so long: else every question would wait for the one that is down. */
const askedLastMs = 10_000
/** Questions under way, at most. */
const waitingMax = 1000
const probeDomain = 'loop.kubernode.invalid'

/** A forwarder to these resolvers, tried in their order. */
export const newForwarder = (deps: Deps, upstreams: readonly Upstream[]): Forwarder => new Upstreams(deps, upstreams)

class Upstreams implements Forwarder {
  readonly #deps: Deps
  readonly #all: readonly Upstream[]
  /** By the name that is asked for: who was asked it, so that a question that comes back tells who sent it. */
  readonly #probes = new Map<string, Upstream>()
  /** They ask us, and are asked no more. */
  readonly #looping = new Set<Upstream>()
  readonly #sockets = new Map<Upstream, UpstreamSocket>()
  readonly #unanswered = new Map<Upstream, { readonly count: number; readonly sinceMs: number }>()
  #waiting = 0
  #closed = false

  constructor(deps: Deps, upstreams: readonly Upstream[]) {
    this.#deps = deps
    this.#all = upstreams
  }

  async ask(message: Buffer, query: Query, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    if (this.#waiting >= waitingMax || this.#closed) return undefined
    this.#waiting++
    try {
      for (const upstream of this.#inTurn()) {
        const answer = await this.#askOne(upstream, message, query, transport)
        this.#remember(upstream, answer !== undefined)
        if (!answer) continue
        // The caller's buffer may be shared; this one is ours.
        answer.writeUInt16BE(query.id, 0)
        return answer
      }
      return undefined
    } finally {
      this.#waiting--
    }
  }

  isOwnProbe(name: string): boolean {
    const upstream = this.#probes.get(name)
    if (upstream && !this.#looping.has(upstream)) {
      this.#looping.add(upstream)
      this.#deps.log.error(
        { upstream: upstream.address },
        "this resolver sends its questions to the cluster's DNS, which would ask it again for ever; it is not used",
      )
    }
    return upstream !== undefined
  }

  async probe(): Promise<void> {
    await Promise.all(this.#all.map((upstream) => this.#probe(upstream)))
  }

  close(): void {
    this.#closed = true
    for (const socket of this.#sockets.values()) socket.close()
  }

  /** All that can be asked, those that answered lately first. */
  #inTurn(): Upstream[] {
    const nowMs = this.#deps.clock.now()
    const last = (upstream: Upstream) => {
      const { count, sinceMs } = this.#unanswered.get(upstream) ?? { count: 0, sinceMs: 0 }
      return count >= unansweredMax && nowMs - sinceMs < askedLastMs
    }
    const usable = this.#all.filter((upstream) => !this.#looping.has(upstream))
    return [...usable.filter((upstream) => !last(upstream)), ...usable.filter(last)]
  }

  #remember(upstream: Upstream, answered: boolean): void {
    if (answered) return void this.#unanswered.delete(upstream)
    const count = (this.#unanswered.get(upstream)?.count ?? 0) + 1
    this.#unanswered.set(upstream, { count, sinceMs: this.#deps.clock.now() })
  }

  async #probe(upstream: Upstream): Promise<void> {
    const name = `${this.#deps.random.uuid()}.${probeDomain}`
    this.#probes.set(name, upstream)
    const message = questionMessage(name)
    const query = parseQuery(message)
    if (typeof query !== 'string') await this.#socketOf(upstream).ask(message, query)
    this.#probes.delete(name)
  }

  async #askOne(
    upstream: Upstream,
    message: Buffer,
    query: Query,
    transport: 'udp' | 'tcp',
  ): Promise<Buffer | undefined> {
    const answer = await this.#socketOf(upstream).ask(message, query)
    // A client on UDP is told to come by TCP itself.
    if (!answer || transport === 'udp' || !(answer.readUInt16BE(2) & flags.truncated)) return answer
    return (await askByTcp(this.#deps, upstream, message)) ?? answer
  }

  #socketOf(upstream: Upstream): UpstreamSocket {
    let socket = this.#sockets.get(upstream)
    if (!socket) this.#sockets.set(upstream, (socket = new UpstreamSocket(this.#deps, upstream)))
    return socket
  }
}

/** A question of type TXT with recursion. */
function questionMessage(name: string): Buffer {
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 16, 0, 1])])
}

interface Waiting {
  readonly question: string
  readonly resolve: (answer: Buffer | undefined) => void
}

/** How many questions one socket carries before another, from another port, takes its place: a guess of both port and id is what forgers need. */
const questionsPerSocket = 1000

/** Questions to one resolver by UDP. */
class UpstreamSocket {
  readonly #deps: Deps
  readonly #upstream: Upstream
  #socket: UdpSocket | undefined
  /** Connected: from there on the kernel passes on what comes from this resolver alone, and tells when nobody listens there. */
  #connected: Promise<void> = Promise.resolve()
  #asked = 0
  #waiting = new Map<number, Waiting>()

  constructor(deps: Deps, upstream: Upstream) {
    this.#deps = deps
    this.#upstream = upstream
  }

  ask(message: Buffer, query: Query): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const { socket, connected, waiting } = this.#current()
      let id = this.#deps.random.bytes(2).readUInt16BE(0)
      while (waiting.has(id)) id = (id + 1) & 0xffff
      const settle = (answer: Buffer | undefined) => {
        cancel()
        waiting.delete(id)
        // The machine may have another address by now, which a connected socket does not notice.
        if (!answer) this.#retire(socket)
        resolve(answer)
      }
      const cancel = this.#deps.clock.after(attemptMs, () => settle(undefined))
      waiting.set(id, { question: query.question.toString('latin1').toLowerCase(), resolve: settle })
      const copy = Buffer.from(message)
      copy.writeUInt16BE(id, 0)
      const failed = () => settle(undefined)
      connected.then(() => socket.send(copy, (error) => (error ? failed() : undefined))).catch(failed)
    })
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
    for (const { resolve } of [...this.#waiting.values()]) resolve(undefined)
  }

  #current(): { socket: UdpSocket; connected: Promise<void>; waiting: Map<number, Waiting> } {
    if (this.#socket && this.#asked >= questionsPerSocket) this.#retire(this.#socket)
    if (!this.#socket) this.#renew()
    this.#asked++
    return { socket: this.#socket!, connected: this.#connected, waiting: this.#waiting }
  }

  /** Asks nothing more by this socket; what is under way may still be answered. */
  #retire(socket: UdpSocket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#deps.clock.after(attemptMs, () => socket.close())
  }

  #renew(): void {
    const waiting = new Map<number, Waiting>()
    const socket = createSocket(isIPv6(this.#upstream.address.split('%')[0] ?? '') ? 'udp6' : 'udp4')
    socket.unref()
    socket.on('error', () => {
      for (const { resolve } of [...waiting.values()]) resolve(undefined)
    })
    socket.on('message', (answer) => {
      if (answer.length < headerLength) return
      const asked = waiting.get(answer.readUInt16BE(0))
      // An answer to another question is forged, or far too late.
      if (!asked || !answer.subarray(headerLength).toString('latin1').toLowerCase().startsWith(asked.question)) return
      asked.resolve(answer)
    })
    this.#connected = new Promise((resolve) => socket.connect(this.#upstream.port, this.#upstream.address, resolve))
    this.#socket = socket
    this.#waiting = waiting
    this.#asked = 0
  }
}

/** Asks one resolver by TCP; undefined when it does not answer. */
function askByTcp(deps: Deps, { address, port }: Upstream, message: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    let received = Buffer.alloc(0)
    const end = (answer: Buffer | undefined) => {
      cancel()
      socket.destroy()
      resolve(answer && answer.length >= headerLength ? answer : undefined)
    }
    const cancel = deps.clock.after(attemptMs, () => end(undefined))
    socket.on('connect', () => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      socket.write(Buffer.concat([length, message]))
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      end(Buffer.from(received.subarray(2, 2 + received.readUInt16BE(0))))
    })
    socket.on('error', () => end(undefined))
    socket.on('close', () => end(undefined))
  })
}
