import { isIP } from 'node:net'

/** A range of addresses of one family. */
export interface AddressRange {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

/** Parses 'a/24' (without its first and last address, which networks keep for themselves), 'a-b' or 'a'; throws when it is none. */
export function parseRange(text: string): AddressRange {
  const [from = '', to] = text.split('-').map((part) => part.trim())
  const [address = '', bits] = from.split('/')
  const family = isIP(address)
  if (family === 0 || (to !== undefined && isIP(to) !== family))
    throw new Error(`"${text}" is no range of addresses; write 172.20.0.0/24 or 172.20.0.10-172.20.0.50`)
  const width = family === 4 ? 32 : 128
  const start = numberOf(address)
  if (to !== undefined) return checked(text, { family: family as 4 | 6, first: start, last: numberOf(to) })
  if (bits === undefined) return { family: family as 4 | 6, first: start, last: start }
  const size = 1n << BigInt(width - Number(bits))
  const base = (start / size) * size
  const spare = size > 2n ? 1n : 0n
  return checked(text, { family: family as 4 | 6, first: base + spare, last: base + size - 1n - spare })
}

function checked(text: string, range: AddressRange): AddressRange {
  if (range.last < range.first) throw new Error(`"${text}" ends before it begins`)
  return range
}

/** Whether a range has an address. */
export const rangeHas = (range: AddressRange, address: string): boolean =>
  isIP(address) === range.family && numberOf(address) >= range.first && numberOf(address) <= range.last

/** The addresses of a range, one after the other. */
export function* addressesOf(range: AddressRange): Generator<string> {
  for (let at = range.first; at <= range.last; at++) yield textOf(at, range.family)
}

function numberOf(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n)
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text ? text.split(':') : [])
  const middle =
    tail === undefined ? [] : Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0')
  return [...groups(head), ...middle, ...groups(tail ?? '')].reduce(
    (sum, group) => (sum << 16n) + BigInt(`0x${group}`),
    0n,
  )
}

function textOf(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((number >> BigInt(112 - i * 16)) & 0xffffn).toString(16))
  // The URL parser writes an IPv6 address the one right way.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
