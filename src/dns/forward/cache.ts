import type { Clock } from '../../base/clock.ts'
import { headerLength, recordTypes, responseCodes, skipName, walkRecords } from '../wire/query.ts'

interface Entry {
  readonly message: Buffer
  /** Where times to live stand, with their value at the beginning. */
  readonly ttls: readonly (readonly [at: number, seconds: number])[]
  readonly storedMs: number
  readonly untilMs: number
}

/** No answer is kept longer, however long it may be. */
const ttlMaxSeconds = 30
const entriesMax = 10_000
const answerLengthMax = 4096

/** Answers of other resolvers, as they came, with times to live that go on running. */
export class ForwardCache {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The answer with this id, or undefined. */
  get(key: string, id: number): Buffer | undefined {
    const entry = this.#entries.get(key)
    const nowMs = this.#clock.now()
    if (!entry || nowMs >= entry.untilMs) {
      if (entry) this.#entries.delete(key)
      return undefined
    }
    const message = Buffer.from(entry.message)
    message.writeUInt16BE(id, 0)
    const passed = Math.floor((nowMs - entry.storedMs) / 1000)
    for (const [at, seconds] of entry.ttls) message.writeUInt32BE(Math.max(0, seconds - passed), at)
    return message
  }

  /** Keeps an answer that says of itself how long it is good. */
  put(key: string, message: Buffer): void {
    if (message.length > answerLengthMax) return
    const code = message.readUInt16BE(2) & 0xf
    const truncated = (message.readUInt16BE(2) & 0x0200) !== 0
    if (truncated || (code !== responseCodes.NOERROR && code !== responseCodes.NXDOMAIN)) return
    const read = ttlsOf(message)
    if (!read || read.goodForSeconds <= 0) return
    if (this.#entries.size >= entriesMax) this.#entries.delete(this.#entries.keys().next().value ?? '')
    const nowMs = this.#clock.now()
    this.#entries.set(key, {
      message,
      ttls: read.ttls,
      storedMs: nowMs,
      untilMs: nowMs + Math.min(read.goodForSeconds, ttlMaxSeconds) * 1000,
    })
  }
}

function ttlsOf(message: Buffer): { ttls: (readonly [number, number])[]; goodForSeconds: number } | undefined {
  const answers = message.readUInt16BE(6)
  const authorities = message.readUInt16BE(8)
  const name = skipName(message, headerLength)
  if (message.readUInt16BE(4) !== 1 || name === undefined) return undefined
  const ttls: (readonly [number, number])[] = []
  // Without an answer the SOA says how long there is none; without that, nobody does.
  let goodForSeconds = answers > 0 ? ttlMaxSeconds : 0
  const ok = walkRecords(message, name + 4, answers + authorities + message.readUInt16BE(10), (record, index) => {
    if (record.type === recordTypes.OPT) return
    ttls.push([record.ttlAt, record.ttl])
    if (index < answers) goodForSeconds = Math.min(goodForSeconds, record.ttl)
    else if (answers === 0 && record.type === recordTypes.SOA && record.dataLength >= 4)
      goodForSeconds = Math.min(record.ttl, message.readUInt32BE(record.dataAt + record.dataLength - 4))
  })
  return ok ? { ttls, goodForSeconds } : undefined
}
