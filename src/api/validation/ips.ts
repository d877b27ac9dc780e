import { isIP } from 'node:net'
import type { FieldErrors, FieldPath } from './field.ts'

/** An address as numbers: 4 or 16 bytes. IPv4 addresses mapped into IPv6 are 4 bytes, as upstream treats them. */
export interface ParsedIp {
  readonly bytes: readonly number[]
  /** Written as `::ffff:1.2.3.4`. */
  readonly mapped: boolean
  /** Has leading zeros: `010.0.0.1`, which old objects may have. */
  readonly sloppy: boolean
}

/** A range of addresses, taken apart. */
export interface ParsedCidr {
  readonly ip: ParsedIp
  readonly bits: number
  /** The network's address as text. */
  readonly network: string
  /** In canonical form: `10.0.0.0/8`. */
  readonly text: string
  readonly sloppy: boolean
}

function parseV4(text: string): { bytes: number[]; sloppy: boolean } | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let sloppy = false
  const bytes: number[] = []
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part)) return undefined
    const byte = Number(part)
    if (byte > 255) return undefined
    if (part.length > 1 && part.startsWith('0')) sloppy = true
    bytes.push(byte)
  }
  return { bytes, sloppy }
}

function parseV6(text: string): { bytes: number[]; sloppy: boolean } | undefined {
  let head = text
  let tail: number[] = []
  let sloppy = false
  const dotted = /^(.*:)([^:]*\..*)$/.exec(text)
  if (dotted) {
    const v4 = parseV4(dotted[2] ?? '')
    if (!v4) return undefined
    sloppy = v4.sloppy
    tail = v4.bytes
    // An IPv4 tail stands for two groups; zeros keep the rest's grammar.
    head = `${dotted[1]}0:0`
  }
  if (isIP(head) !== 6 || head.includes('%')) return undefined
  const [left = '', right] = head.split('::')
  const groups = (side: string) => (side === '' ? [] : side.split(':').map((group) => parseInt(group, 16)))
  const l = groups(left)
  const r = right === undefined ? [] : groups(right)
  const all = right === undefined ? l : [...l, ...Array.from({ length: 8 - l.length - r.length }, () => 0), ...r]
  const bytes = all.flatMap((group) => [group >> 8, group & 255])
  if (tail.length) bytes.splice(12, 4, ...tail)
  return { bytes, sloppy }
}

/** Reads an address as old fields accept it: leading zeros in IPv4 count as decimal. */
export function parseIp(text: string): ParsedIp | undefined {
  if (!text.includes(':')) {
    const v4 = parseV4(text)
    return v4 && { ...v4, mapped: false }
  }
  const v6 = parseV6(text)
  if (!v6) return undefined
  const mapped = v6.bytes.slice(0, 10).every((byte) => byte === 0) && v6.bytes[10] === 255 && v6.bytes[11] === 255
  return mapped ? { bytes: v6.bytes.slice(12), mapped, sloppy: v6.sloppy } : { ...v6, mapped }
}

/** The canonical text of an address (RFC 5952). */
export function ipText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8;) {
    let end = start
    while (end < 8 && groups[end] === 0) end++
    if (end - start > best.length) best = { start, length: end - start }
    start = Math.max(end, start + 1)
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  if (best.start < 0) return text(groups)
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`
}

const mask = (bytes: readonly number[], bits: number) =>
  bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 255)

/** Reads `10.0.0.0/8`, with leading zeros allowed as above. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const size = text.slice(slash + 1)
  const address = text.slice(0, slash)
  const ip = parseIp(address)
  if (!ip || !/^[0-9]+$/.test(size)) return undefined
  const written = Number(size)
  const longest = address.includes(':') ? 128 : 32
  if (written > longest) return undefined
  // A mapped address is masked as the IPv6 address it is written as.
  const bits = ip.mapped ? Math.max(0, written - 96) : written
  const network = ipText(mask(ip.bytes, bits))
  return {
    ip,
    bits,
    network,
    text: `${network}/${bits}`,
    sloppy: ip.sloppy || (size.length > 1 && size.startsWith('0')),
  }
}

/** Whether the network holds the address. */
export function cidrContains(cidr: ParsedCidr, ip: ParsedIp): boolean {
  return cidr.ip.bytes.length === ip.bytes.length && ipText(mask(ip.bytes, cidr.bits)) === cidr.network
}

/** Whether a text is an address of that family. */
export const isIPv6Text = (text: string): boolean => parseIp(text)?.bytes.length === 16
export const isIPv4Text = (text: string): boolean => parseIp(text)?.bytes.length === 4

const ipRule = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const cidrRule = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** Fields that have always taken any spelling of an address. What the old object had stays valid. */
export function checkLegacyIp(value: string, at: FieldPath, errors: FieldErrors): void {
  if (!parseIp(value)) errors.invalid(at, value, ipRule)
}

/** New fields: strict and in canonical form. */
export function checkIp(value: string, at: FieldPath, errors: FieldErrors): void {
  const ip = parseIp(value)
  if (!ip) return errors.invalid(at, value, ipRule)
  if (ip.sloppy) errors.invalid(at, value, 'must not have leading 0s')
  if (ip.mapped) errors.invalid(at, value, 'must not be an IPv4-mapped IPv6 address')
  if (!ip.sloppy && !ip.mapped && ipText(ip.bytes) !== value)
    errors.invalid(at, value, `must be in canonical form ("${ipText(ip.bytes)}")`)
}

/** Fields that have always taken any spelling of a network. */
export function checkLegacyCidr(value: string, at: FieldPath, errors: FieldErrors): void {
  if (!parseCidr(value)) errors.invalid(at, value, cidrRule)
}

/** New fields: strict and in canonical form. */
export function checkCidr(value: string, at: FieldPath, errors: FieldErrors): void {
  const cidr = parseCidr(value)
  if (!cidr) return errors.invalid(at, value, cidrRule)
  if (cidr.sloppy) return errors.invalid(at, value, 'must not have leading 0s in IP or prefix length')
  if (cidr.ip.mapped) return errors.invalid(at, value, 'must not have an IPv4-mapped IPv6 address')
  if (ipText(cidr.ip.bytes) !== cidr.network)
    return errors.invalid(at, value, 'must not have bits set beyond the prefix length')
  if (cidr.text !== value) errors.invalid(at, value, `must be in canonical form ("${cidr.text}")`)
}

/** Warnings about addresses that a later release may refuse. */
export function ipWarnings(value: string, at: FieldPath): string[] {
  const ip = parseIp(value)
  if (!ip) return []
  const canonical = ipText(ip.bytes)
  if (ip.sloppy || ip.mapped)
    return [
      `${at}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(canonical)}`,
    ]
  if (ip.bytes.length === 16 && canonical !== value)
    return [
      `${at}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`,
    ]
  return []
}

/** The same for networks. */
export function cidrWarnings(value: string, at: FieldPath): string[] {
  const cidr = parseCidr(value)
  if (!cidr) return []
  const warnings: string[] = []
  const address = ipText(cidr.ip.bytes)
  if (address !== cidr.network) {
    const single = `${address}/${8 * cidr.ip.bytes.length}`
    warnings.push(
      `${at}: CIDR value ${JSON.stringify(value)} is ambiguous in this context (should be ${JSON.stringify(cidr.text)} or ${JSON.stringify(single)}?)`,
    )
  }
  if (cidr.sloppy || cidr.ip.mapped)
    warnings.push(
      `${at}: non-standard CIDR value ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(cidr.text)}`,
    )
  if (!warnings.length && cidr.ip.bytes.length === 16 && cidr.text !== value)
    warnings.push(
      `${at}: IPv6 CIDR value ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(cidr.text)})`,
    )
  return warnings
}
