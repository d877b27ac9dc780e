import { isIP } from 'node:net'

/** A family of addresses, as Services name it. */
export type IpFamily = 'IPv4' | 'IPv6'

/** The family of a valid address. */
export const familyOf = (ip: string): IpFamily => (isIP(ip) === 6 ? 'IPv6' : 'IPv4')

/** Addresses of one family, as numbers. */
export class IpRange {
  readonly family: IpFamily
  readonly #base: bigint
  /** How many addresses can be given out: without the network's own, and for IPv4 without the broadcast one. */
  readonly size: bigint

  private constructor(family: IpFamily, base: bigint, size: bigint) {
    this.family = family
    this.#base = base
    this.size = size
  }

  /** '10.96.0.0/12'. Throws a sentence when it is no range. */
  static parse(cidr: string): IpRange {
    const [ip = '', bits = ''] = cidr.split('/')
    const version = isIP(ip)
    const width = version === 6 ? 128 : 32
    const prefix = Number(bits)
    if (version === 0 || !/^\d+$/.test(bits) || prefix > width)
      throw new Error(`${JSON.stringify(cidr)} is no range of addresses: write it as 10.96.0.0/12 or fd00:10:96::/112`)
    const host = BigInt(width - prefix)
    const base = (numberOf(ip) >> host) << host
    const all = 1n << host
    return new IpRange(version === 6 ? 'IPv6' : 'IPv4', base, all <= 1n ? all : version === 6 ? all - 1n : all - 2n)
  }

  contains(ip: string): boolean {
    if (familyOf(ip) !== this.family) return false
    const offset = numberOf(ip) - this.#base
    return this.size === 1n ? offset === 0n : offset >= 1n && offset <= this.size
  }

  /** The address at an index, from 0: the first one that can be given out. */
  at(index: bigint): string {
    return textOf(this.#base + (this.size === 1n ? 0n : 1n) + index, this.family)
  }
}

/** An address as a number. */
export function numberOf(ip: string): bigint {
  if (isIP(ip) === 4) return ofDotted(ip)
  // An IPv6 address may end with an IPv4 one, in place of its last two groups.
  const plain = ip.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const low = ofDotted(dotted)
    return `${(low >> 16n).toString(16)}:${(low & 65535n).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...middle, ...right].reduce((sum, part) => sum * 65536n + BigInt(parseInt(part, 16)), 0n)
}

const ofDotted = (ip: string): bigint => ip.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)

/** The canonical text of an address: for IPv6 the longest run of zeros is left out. */
export function textOf(number: bigint, family: IpFamily): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.')
  const parts = Array.from({ length: 8 }, (_, i) => (number >> BigInt(112 - i * 16)) & 65535n)
  let best = { start: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && parts[i + length] === 0n) length++
    if (length > best.length) best = { start: i, length }
  }
  const hex = (list: bigint[]) => list.map((part) => part.toString(16)).join(':')
  return best.start < 0
    ? hex(parts)
    : `${hex(parts.slice(0, best.start))}::${hex(parts.slice(best.start + best.length))}`
}
