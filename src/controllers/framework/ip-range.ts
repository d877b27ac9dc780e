import ipaddr from 'ipaddr.js'

/** A range of addresses of one family. */
export interface IpRange {
  readonly bits: 32 | 128
  readonly first: bigint
  readonly prefix: number
}

/** Reads '10.96.0.0/12'; bits after the prefix are ignored. */
export function parseRange(cidr: string): IpRange {
  const [address, prefix] = ipaddr.parseCIDR(cidr)
  const bytes = address.toByteArray()
  const bits = bytes.length === 4 ? 32 : 128
  const hostBits = BigInt(bits - prefix)
  return { bits, prefix, first: (numberOf(bytes) >> hostBits) << hostBits }
}

/** The number of addresses in a range. */
export const sizeOf = ({ bits, prefix }: IpRange): bigint => 1n << BigInt(bits - prefix)

/** Whether `inner` lies in `outer` wholly. */
export const containsRange = (outer: IpRange, inner: IpRange): boolean =>
  outer.bits === inner.bits && inner.first >= outer.first && inner.first + sizeOf(inner) <= outer.first + sizeOf(outer)

/** Whether an address lies in a range. */
export function containsAddress(range: IpRange, address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const bytes = ipaddr.parse(address).toByteArray()
  return containsRange(range, { bits: bytes.length === 4 ? 32 : 128, prefix: bytes.length * 8, first: numberOf(bytes) })
}

/** An address in its text form. */
export const formatAddress = (value: bigint, bits: 32 | 128): string =>
  ipaddr
    .fromByteArray(Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(bits - 8 * (i + 1))) & 0xffn)))
    .toString()

const numberOf = (bytes: readonly number[]): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
