import type { Deps } from '../base/deps.ts'
import type { Counter, Histogram } from '../base/metrics.ts'
import { ForwardCache } from './forward/cache.ts'
import type { Forwarder } from './forward/forwarder.ts'
import { encodeAnswer, encodeError, sizeFor } from './wire/answer.ts'
import type { Answer, DnsRecord } from './wire/answer.ts'
import { headerLength, isInternet, parseQuery, recordTypes, responseCodes, walkRecords } from './wire/query.ts'
import type { Query, RecordType } from './wire/query.ts'
import type { ClusterZone } from './zone/cluster-zone.ts'
import { isReverseName } from './zone/reverse.ts'

/** What a responder answers from. */
export interface ResponderOptions {
  readonly deps: Deps
  readonly zone: ClusterZone
  readonly forwarder: Forwarder
  /** False before the cluster is known: a name that is not there yet may be there. */
  readonly ready: () => boolean
}

/** A finished answer for messages that are equal but for their id; several when the order of addresses takes turns. */
interface Ready {
  readonly variants: readonly Buffer[]
  next: number
  readonly code: Answer['code']
}

/** Messages kept; most clusters ask far fewer names. */
const readyMax = 20_000
/** Bytes of kept answers: the same name in ever other upper and lower case must not fill the memory. */
const readyBytesMax = 32 * 1024 * 1024
/** Longer messages are rare, and may be made to fill the memory. */
const readyMessageMax = 300
/** So many orders of addresses are kept. */
const variantsMax = 8

const typeNames = new Map<number, RecordType | 'ANY'>(
  (['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'SOA', 'SRV', 'TXT', 'ANY'] as const).map((type) => [recordTypes[type], type]),
)
const opcodeQuery = 0

/**
 * Answers messages. What was asked before in the very same words is answered by a copy with the new id, until anything in the cluster changes;
 * other names of the cluster are looked up, and everything else is forwarded.
 */
export class Responder {
  readonly #o: ResponderOptions
  readonly #ready = { udp: new Map<string, Ready>(), tcp: new Map<string, Ready>() }
  #readyBytes = 0
  readonly #forwarded: ForwardCache
  readonly #requests: Counter
  readonly #responses: Counter
  readonly #duration: Histogram

  constructor(options: ResponderOptions) {
    this.#o = options
    this.#forwarded = new ForwardCache(options.deps.clock)
    const { metrics } = options.deps
    this.#requests = metrics.counter(
      'coredns_dns_requests_total',
      'Counter of DNS requests made per zone, protocol and family.',
    )
    this.#responses = metrics.counter('coredns_dns_responses_total', 'Counter of response status codes.')
    this.#duration = metrics.histogram(
      'coredns_forward_request_duration_seconds',
      'Histogram of the time each request took.',
      durationBuckets,
    )
  }

  /** The cluster changed: nothing that was said is certain any more. */
  forget(): void {
    this.#ready.udp.clear()
    this.#ready.tcp.clear()
    this.#readyBytes = 0
  }

  /** The answer; undefined when there is none to give. A promise only when others have to be asked. */
  respond(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined | Promise<Buffer | undefined> {
    // All but the id.
    const key = message.length <= readyMessageMax ? message.toString('latin1', 2) : undefined
    const ready = key === undefined ? undefined : this.#ready[transport].get(key)
    if (ready && message.length >= headerLength) {
      this.#count(ready.code, transport)
      return copyWithId(ready, message.readUInt16BE(0))
    }
    const query = parseQuery(message)
    if (query === 'ignore') return undefined
    if (query === 'malformed') return this.#error(message.readUInt16BE(0), 'FORMERR', transport)
    if (query.opcode !== opcodeQuery) return this.#error(query.id, 'NOTIMP', transport, query)
    if (query.edns && query.edns.version !== 0) return this.#error(query.id, 'BADVERS', transport, query)
    if (!isInternet(query)) return this.#error(query.id, 'REFUSED', transport, query)
    return this.#answer(message, query, { transport, key })
  }

  #answer(
    message: Buffer,
    query: Query,
    { transport, key }: { transport: 'udp' | 'tcp'; key: string | undefined },
  ): Buffer | undefined | Promise<Buffer | undefined> {
    const { zone, forwarder, ready } = this.#o
    const type = typeNames.get(query.type)
    if (forwarder.isOwnProbe(query.name)) return this.#error(query.id, 'REFUSED', transport, query)
    if (zone.has(query.name)) {
      if (!ready()) return this.#error(query.id, 'SERVFAIL', transport, query)
      const answer = zone.answer(query.name, type)
      if (answer.follow !== undefined) return this.#followAlias(query, answer, { transport, target: answer.follow })
      return this.#finish(query, answer, { transport, key })
    }
    if (isReverseName(query.name) && (type === 'PTR' || type === 'ANY')) {
      const answer = zone.reverse(query.name)
      if (answer) return this.#finish(query, answer, { transport, key })
    }
    return this.#forward(message, query, transport)
  }

  #finish(
    query: Query,
    answer: Answer,
    { transport, key }: { transport: 'udp' | 'tcp'; key: string | undefined },
  ): Buffer {
    const size = sizeFor(query, transport)
    const variants = turns(answer).map((turn) => encodeAnswer(query, turn, size))
    const made: Ready = { variants, next: 0, code: answer.code }
    if (key !== undefined) {
      const bytes = variants.reduce((sum, { length }) => sum + length, key.length)
      if (this.#ready[transport].size >= readyMax || this.#readyBytes + bytes > readyBytesMax) this.forget()
      this.#ready[transport].set(key, made)
      this.#readyBytes += bytes
    }
    this.#count(answer.code, transport)
    return copyWithId(made, query.id)
  }

  /** An alias for a name of somebody else: with that name's addresses when they can be had. */
  async #followAlias(
    query: Query,
    answer: Answer,
    { transport, target }: { transport: 'udp' | 'tcp'; target: string },
  ): Promise<Buffer> {
    const asked = await this.#o.forwarder.ask(
      questionFor(target, query),
      { ...query, name: target, question: questionFor(target, query).subarray(headerLength) },
      'tcp',
    )
    const addresses = asked ? addressesIn(asked, target) : []
    this.#count('NOERROR', transport)
    return encodeAnswer(query, { ...answer, answers: [...answer.answers, ...addresses] }, sizeFor(query, transport))
  }

  async #forward(message: Buffer, query: Query, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const { deps, forwarder } = this.#o
    const key = `${transport}${message.toString('latin1', 2)}`
    const cached = this.#forwarded.get(key, query.id)
    if (cached) {
      this.#countForwarded(cached, transport)
      return cached
    }
    const startMs = deps.clock.now()
    const answer = await forwarder.ask(message, query, transport)
    this.#duration.observe((deps.clock.now() - startMs) / 1000)
    if (!answer) return this.#error(query.id, 'SERVFAIL', transport, query)
    this.#forwarded.put(key, Buffer.from(answer))
    this.#countForwarded(answer, transport)
    return answer
  }

  #error(id: number, code: Answer['code'], transport: 'udp' | 'tcp', query?: Query): Buffer {
    this.#count(code, transport)
    return encodeError(id, code, query)
  }

  #countForwarded(answer: Buffer, transport: 'udp' | 'tcp'): void {
    const code = answer.readUInt16BE(2) & 0xf
    const known = Object.entries(responseCodes).find(([, number]) => number === code)?.[0]
    this.#requests.add(requestLabels[transport])
    this.#responses.add({ rcode: known ?? String(code) })
  }

  #count(code: Answer['code'], transport: 'udp' | 'tcp'): void {
    this.#requests.add(requestLabels[transport])
    this.#responses.add(responseLabels[code])
  }
}

/** 0.25 ms to 8 s, doubling. */
const durationBuckets = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i)

// Made once: this is the hot path.
const requestLabels = { udp: { proto: 'udp' }, tcp: { proto: 'tcp' } } as const
const responseLabels: Readonly<Record<Answer['code'], { readonly rcode: string }>> = {
  NOERROR: { rcode: 'NOERROR' },
  FORMERR: { rcode: 'FORMERR' },
  SERVFAIL: { rcode: 'SERVFAIL' },
  NXDOMAIN: { rcode: 'NXDOMAIN' },
  NOTIMP: { rcode: 'NOTIMP' },
  REFUSED: { rcode: 'REFUSED' },
  BADVERS: { rcode: 'BADVERS' },
}

function copyWithId(ready: Ready, id: number): Buffer {
  const source = ready.variants[ready.next]!
  ready.next = (ready.next + 1) % ready.variants.length
  // A copy: the socket may still hold the last one.
  const copy = Buffer.allocUnsafe(source.length)
  source.copy(copy)
  copy.writeUInt16BE(id, 0)
  return copy
}

/** The answer with its addresses in turning order, so that clients that take the first one spread. */
function turns(answer: Answer): Answer[] {
  const count = Math.min(answer.answers.length, variantsMax)
  if (count < 2 || answer.answers.some(({ type }) => type === 'CNAME')) return [answer]
  return Array.from({ length: count }, (_, i) => ({
    ...answer,
    answers: [...answer.answers.slice(i), ...answer.answers.slice(0, i)],
  }))
}

/** The same question about another name. */
function questionFor(name: string, query: Query): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')])
  const tail = Buffer.alloc(5)
  tail.writeUInt16BE(query.type, 1)
  tail.writeUInt16BE(1, 3)
  return Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, tail])
}

/** The addresses in another resolver's answer, under the name that was asked for. */
function addressesIn(message: Buffer, name: string): DnsRecord[] {
  const found: DnsRecord[] = []
  const start = parseQuery(
    Buffer.concat([
      message.subarray(0, 2),
      Buffer.from([1, 0]),
      message.subarray(4, 6),
      Buffer.alloc(6),
      message.subarray(headerLength),
    ]),
  )
  if (typeof start === 'string') return found
  walkRecords(
    message,
    headerLength + start.question.length,
    message.readUInt16BE(6),
    ({ type, ttl, dataAt, dataLength }) => {
      const data = message.subarray(dataAt, dataAt + dataLength)
      if (type === recordTypes.A && dataLength === 4) found.push({ name, type: 'A', ttl, data: data.join('.') })
      if (type === recordTypes.AAAA && dataLength === 16)
        found.push({
          name,
          type: 'AAAA',
          ttl,
          data: Array.from({ length: 8 }, (_, i) => data.readUInt16BE(i * 2).toString(16)).join(':'),
        })
    },
  )
  return found
}
