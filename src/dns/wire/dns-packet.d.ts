/** The parts of dns-packet that are used; the package has no types of its own. */
declare module 'dns-packet' {
  export interface RecordCodec {
    encode(data: unknown, buffer?: Buffer, offset?: number): Buffer
    encodingLength(data: unknown): number
  }
  export interface DecodedRecord {
    name: string
    type: string
    ttl?: number
    data: unknown
  }
  export interface DecodedPacket {
    id: number
    type: string
    rcode: string
    flag_tc: boolean
    flag_aa: boolean
    questions: { name: string; type: string }[]
    answers: DecodedRecord[]
    authorities: DecodedRecord[]
    additionals: DecodedRecord[]
  }
  export interface PacketToEncode {
    id?: number
    type: 'query' | 'response'
    flags?: number
    questions?: { name: string; type: string }[]
    answers?: object[]
    additionals?: object[]
  }
  export function record(type: string): RecordCodec
  export function encode(packet: PacketToEncode): Buffer
  export function decode(buffer: Buffer): DecodedPacket
  export const RECURSION_DESIRED: number
}
