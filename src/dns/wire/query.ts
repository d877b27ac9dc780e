/** The types that are answered from the cluster; others are known by their number alone. */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const

/** A type with records of ours. */
export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT'

/** Response codes. */
export const responseCodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const

/** Bits of the second header word. */
export const flags = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
} as const

/** A question as it came. */
export interface Query {
  readonly id: number
  readonly flags: number
  readonly opcode: number
  /** In lower case, without the last dot; '' for the root. */
  readonly name: string
  readonly type: number
  readonly class: number
  /** The question as it stands in the message: goes into the answer untouched, upper and lower case too. */
  readonly question: Buffer
  /** What the client can take in one packet by EDNS; undefined without EDNS. */
  readonly edns: { readonly payloadSize: number; readonly version: number; readonly dnssecOk: boolean } | undefined
}

/** Length of a message's header. */
export const headerLength = 12
/** The longest name, in bytes with its length bytes. */
const nameLengthMax = 255
const classIn = 1

/** What a message that cannot be answered is: no header at all ('ignore'), or not a question as it must be. */
export type BadQuery = 'ignore' | 'malformed'

/** Reads a message as a question. */
export function parseQuery(message: Buffer): Query | BadQuery {
  if (message.length < headerLength) return 'ignore'
  const word = message.readUInt16BE(2)
  if (word & flags.response) return 'ignore'
  if (message.readUInt16BE(4) !== 1) return 'malformed'
  const name = readPlainName(message, headerLength)
  if (!name || name.end + 4 > message.length) return 'malformed'
  const edns = readEdns(message, name.end + 4)
  if (edns === 'malformed') return 'malformed'
  return {
    id: message.readUInt16BE(0),
    flags: word,
    opcode: (word >> 11) & 0xf,
    name: name.text,
    type: message.readUInt16BE(name.end),
    class: message.readUInt16BE(name.end + 2),
    question: message.subarray(headerLength, name.end + 4),
    edns,
  }
}

/** Whether a question is of the Internet's class. */
export const isInternet = (query: Query): boolean => query.class === classIn

/** A name without pointers, in lower case; undefined when it is none. */
function readPlainName(message: Buffer, start: number): { text: string; end: number } | undefined {
  let at = start
  let text = ''
  for (;;) {
    const length = message[at]
    if (length === undefined || length > 63) return undefined
    at++
    if (length === 0) break
    if (at + length > message.length || at + length - start > nameLengthMax) return undefined
    text += (text && '.') + message.toString('latin1', at, at + length)
    at += length
  }
  return { text: text.toLowerCase(), end: at }
}

/** The OPT record among the additional ones, when there is one. */
function readEdns(message: Buffer, from: number): Query['edns'] | 'malformed' {
  const others = message.readUInt16BE(6) + message.readUInt16BE(8)
  const count = others + message.readUInt16BE(10)
  if (count === 0) return undefined
  let edns: Query['edns']
  const ok = walkRecords(message, from, count, (record, index) => {
    if (record.type !== recordTypes.OPT || index < others) return
    edns = { payloadSize: record.class, version: (record.ttl >>> 16) & 0xff, dnssecOk: (record.ttl & 0x8000) !== 0 }
  })
  return ok ? edns : 'malformed'
}

/** A record of a message, and where its parts stand. */
export interface RawRecord {
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly ttlAt: number
  readonly dataAt: number
  readonly dataLength: number
}

/** Visits `count` records from an offset; false when the message ends before. */
export function walkRecords(
  message: Buffer,
  from: number,
  count: number,
  visit: (record: RawRecord, index: number) => void,
): boolean {
  let at = from
  for (let i = 0; i < count; i++) {
    const end = skipName(message, at)
    if (end === undefined || end + 10 > message.length) return false
    const dataLength = message.readUInt16BE(end + 8)
    if (end + 10 + dataLength > message.length) return false
    visit(
      {
        type: message.readUInt16BE(end),
        class: message.readUInt16BE(end + 2),
        ttl: message.readUInt32BE(end + 4),
        ttlAt: end + 4,
        dataAt: end + 10,
        dataLength,
      },
      i,
    )
    at = end + 10 + dataLength
  }
  return true
}

/** Where a name ends that may have a pointer; undefined when the message ends before. */
export function skipName(message: Buffer, from: number): number | undefined {
  let at = from
  for (;;) {
    const length = message[at]
    if (length === undefined) return undefined
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    at += length + 1
  }
}
