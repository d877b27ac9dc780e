import dnsPacket from 'dns-packet'
import { flags, headerLength, recordTypes, responseCodes } from './query.ts'
import type { Query, RecordType } from './query.ts'

/** A record of ours. `data` is what dns-packet takes for the type. */
export interface DnsRecord {
  readonly name: string
  readonly type: RecordType
  readonly ttl: number
  readonly data: unknown
}

/** An answer before it is written for one client. */
export interface Answer {
  readonly code: keyof typeof responseCodes
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
}

/** What we take and send in one UDP packet at most: fits every link without being cut into pieces. */
const payloadSizeMax = 1232
/** What every client takes without EDNS. */
const payloadSizeMin = 512
const tcpSizeMax = 65_535
/** A pointer to the question's name, which always stands at the same place. */
const questionPointer = 0xc000 | headerLength

/** How large an answer to a client may be. */
export const sizeFor = (query: Query, transport: 'udp' | 'tcp'): number =>
  transport === 'tcp'
    ? tcpSizeMax
    : Math.max(payloadSizeMin, Math.min(query.edns?.payloadSize ?? payloadSizeMin, payloadSizeMax))

/** Writes an answer; what does not fit is left out: additional records without a word, others with the mark that tells the client to ask by TCP. */
export function encodeAnswer(query: Query, answer: Answer, sizeMax: number): Buffer {
  const opt = query.edns ? optRecord(answer.code) : emptyRecord
  const room = sizeMax - headerLength - query.question.length - opt.length
  const encode = (records: readonly DnsRecord[]) => records.map((record) => encodeRecord(record, query.name))
  const main = encode(answer.answers)
  const authorities = encode(answer.authorities)
  const size = (records: readonly Buffer[]) => records.reduce((sum, record) => sum + record.length, 0)
  const truncated = size(main) + size(authorities) > room
  const kept = truncated ? fitting(main, room) : main
  const keptAuthorities = truncated ? [] : authorities
  const extra = truncated ? [] : fitting(encode(answer.additionals), room - size(main) - size(authorities))
  const header = Buffer.alloc(headerLength)
  header.writeUInt16BE(query.id, 0)
  const word =
    flags.response |
    flags.authoritative |
    flags.recursionAvailable |
    (truncated ? flags.truncated : 0) |
    (query.flags & flags.recursionDesired) |
    (query.opcode << 11)
  header.writeUInt16BE(word | (responseCodes[answer.code] & 0xf), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(kept.length, 6)
  header.writeUInt16BE(keptAuthorities.length, 8)
  header.writeUInt16BE(extra.length + (query.edns ? 1 : 0), 10)
  return Buffer.concat([header, query.question, ...kept, ...keptAuthorities, ...extra, opt])
}

/** An answer of a code alone. `question`: left out when it could not be read. */
export function encodeError(id: number, code: keyof typeof responseCodes, query?: Query): Buffer {
  if (query) {
    const message = encodeAnswer(query, { code, answers: [], authorities: [], additionals: [] }, payloadSizeMax)
    message.writeUInt16BE(message.readUInt16BE(2) & ~flags.authoritative, 2)
    return message
  }
  const header = Buffer.alloc(headerLength)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(flags.response | flags.recursionAvailable | (responseCodes[code] & 0xf), 2)
  return header
}

const emptyRecord = Buffer.alloc(0)

function optRecord(code: Answer['code']): Buffer {
  const opt = Buffer.alloc(11)
  opt.writeUInt16BE(recordTypes.OPT, 1)
  opt.writeUInt16BE(payloadSizeMax, 3)
  opt.writeUInt8(responseCodes[code] >> 4, 5)
  return opt
}

function encodeRecord(record: DnsRecord, questionName: string): Buffer {
  const codec = dnsPacket.record(record.type)
  const name = record.name === questionName ? undefined : nameBytes(record.name)
  const nameLength = name?.length ?? 2
  const out = Buffer.alloc(nameLength + 8 + codec.encodingLength(record.data))
  if (name) name.copy(out)
  else out.writeUInt16BE(questionPointer, 0)
  out.writeUInt16BE(recordTypes[record.type], nameLength)
  out.writeUInt16BE(1, nameLength + 2)
  out.writeUInt32BE(record.ttl, nameLength + 4)
  codec.encode(record.data, out, nameLength + 8)
  return out
}

function nameBytes(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.')
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    Buffer.from([0]),
  ])
}

function fitting(records: readonly Buffer[], room: number): Buffer[] {
  const kept: Buffer[] = []
  let left = room
  for (const record of records) {
    if (record.length > left) break
    left -= record.length
    kept.push(record)
  }
  return kept
}
