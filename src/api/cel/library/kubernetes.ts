import { isIPv4, isIPv6 } from 'node:net'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityOf,
  subtractQuantities,
  type Quantity,
} from '../../quantity/quantity.ts'
import {
  isDns1035Label,
  isLabel,
  isLabelValue,
  isQualifiedName,
  isSubdomain,
  dns1035LabelErrors,
  dnsLabelErrors,
  dnsSubdomainErrors,
} from '../../validation/names.ts'
import { overload, type Overload } from '../functions.ts'
import { CelError, CelList, CelMap, Opaque, Optional, type Value } from '../values.ts'

// ---------------------------------------------------------------- URLs

class UrlValue extends Opaque {
  readonly type = 'net.URL'
  readonly parts: { readonly scheme: string; readonly host: string; readonly path: string; readonly query: string }
  readonly #source: string

  constructor(source: string, parts: UrlValue['parts']) {
    super()
    this.#source = source
    this.parts = parts
  }

  text(): string {
    return this.#source
  }
}

function parseUrl(text: string): UrlValue | undefined {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/.exec(text)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (!match || text === '' || /[\u0000-\u001f\u007f]/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const [, scheme = '', authority = '', path = '', query = ''] = match
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (
    (!scheme && !path.startsWith('/')) ||
    /[\s"<>\\^`{|}]/.test(host) ||
    /:[^\]]*[^\d\]:][^\]]*$/.test(host.replace(/^\[[^\]]*\]/, ''))
  )
    return undefined
  return new UrlValue(text, { scheme: scheme.toLowerCase(), host, path: decodeURI(path), query })
}

const hostname = (host: string): string =>
  host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, '')

function queryOf(query: string): CelMap {
  const values = new Map<string, Value[]>()
  for (const [key, value] of new URLSearchParams(query)) values.set(key, [...(values.get(key) ?? []), value])
  return CelMap.of([...values].map(([key, list]) => [key, new CelList(list)] as const))
}

const urls: Overload[] = [
  overload(
    'url(string): net.URL',
    (text: string) =>
      parseUrl(text) ??
      fail(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`),
  ),
  overload('isURL(string): bool', (text: string) => parseUrl(text) !== undefined),
  overload('net.URL.getScheme(): string', (url: UrlValue) => url.parts.scheme),
  overload('net.URL.getHost(): string', (url: UrlValue) => url.parts.host),
  overload('net.URL.getHostname(): string', (url: UrlValue) => hostname(url.parts.host)),
  overload(
    'net.URL.getPort(): string',
    (url: UrlValue) => /:(\d*)$/.exec(url.parts.host.replace(/^\[[^\]]*\]/, ''))?.[1] ?? '',
  ),
  overload('net.URL.getEscapedPath(): string', (url: UrlValue) => encodeURI(url.parts.path)),
  overload('net.URL.getQuery(): map<string, list<string>>', (url: UrlValue) => queryOf(url.parts.query)),
]

function fail(message: string): never {
  throw new CelError(message)
}

// ---------------------------------------------------------------- quantities

class QuantityValue extends Opaque {
  readonly type = 'kubernetes.Quantity'
  readonly quantity: Quantity

  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }

  text(): string {
    return String(this.quantity.nano)
  }
}

function quantity(text: string): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text))
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error))
  }
}

const holds = (text: string, parse: (text: string) => unknown): boolean => {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

const nano = 1_000_000_000n
const compared = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.quantity, b.quantity)
const isWhole = ({ quantity: { nano: value } }: QuantityValue): boolean =>
  value % nano === 0n && value / nano < 2n ** 63n && value / nano >= -(2n ** 63n)
const units = (value: bigint): Quantity => quantityOf(value)

const quantities: Overload[] = [
  overload('quantity(string): kubernetes.Quantity', quantity),
  overload('isQuantity(string): bool', (text: string) => holds(text, parseQuantity)),
  overload('kubernetes.Quantity.sign(): int', (a: QuantityValue) =>
    a.quantity.nano > 0n ? 1n : a.quantity.nano < 0n ? -1n : 0n,
  ),
  overload('kubernetes.Quantity.isInteger(): bool', isWhole),
  overload('kubernetes.Quantity.asInteger(): int', (a: QuantityValue) =>
    isWhole(a) ? a.quantity.nano / nano : fail('cannot convert value to integer'),
  ),
  overload('kubernetes.Quantity.asApproximateFloat(): double', (a: QuantityValue) => Number(a.quantity.nano) / 1e9),
  overload(
    'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
    (a: QuantityValue, b: QuantityValue) => compared(a, b) > 0,
  ),
  overload(
    'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
    (a: QuantityValue, b: QuantityValue) => compared(a, b) < 0,
  ),
  overload('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (a: QuantityValue, b: QuantityValue) =>
    BigInt(compared(a, b)),
  ),
  overload(
    'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity',
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantities(a.quantity, b.quantity)),
  ),
  overload(
    'kubernetes.Quantity.add(int): kubernetes.Quantity',
    (a: QuantityValue, b: bigint) => new QuantityValue(addQuantities(a.quantity, units(b))),
  ),
  overload(
    'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity',
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantities(a.quantity, b.quantity)),
  ),
  overload(
    'kubernetes.Quantity.sub(int): kubernetes.Quantity',
    (a: QuantityValue, b: bigint) => new QuantityValue(subtractQuantities(a.quantity, units(b))),
  ),
  overload('string(kubernetes.Quantity): string', (a: QuantityValue) => formatQuantity(a.quantity)),
]

// ---------------------------------------------------------------- addresses

/** An address as a number of its family's bits. */
interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

function addressOf(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: text.split('.').reduce((bits, part) => bits * 256n + BigInt(part), 0n) }
  if (!isIPv6(text) || text.includes('%') || text.includes('.')) return undefined
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  return { family: 6, bits: groups.reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n) }
}

function addressText({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(112 - 16 * i)) & 0xffffn))
  let best = { start: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > best.length) best = { start: i, length }
  }
  const hex = groups.map((group) => group.toString(16))
  return best.start < 0
    ? hex.join(':')
    : `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`
}

class IpValue extends Opaque {
  readonly type = 'net.IP'
  readonly address: Address
  constructor(address: Address) {
    super()
    this.address = address
  }
  text(): string {
    return addressText(this.address)
  }
}

class CidrValue extends Opaque {
  readonly type = 'net.CIDR'
  readonly address: Address
  readonly length: number
  constructor(address: Address, length: number) {
    super()
    this.address = address
    this.length = length
  }
  text(): string {
    return `${addressText(this.address)}/${this.length}`
  }
}

const ipOf = (text: string): IpValue =>
  new IpValue(
    addressOf(text) ??
      fail(
        `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
      ),
  )

function cidrOf(text: string): CidrValue {
  const slash = text.lastIndexOf('/')
  const address = addressOf(text.slice(0, slash))
  const bits = text.slice(slash + 1)
  if (slash < 0 || !address || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width(address))
    fail(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): invalid prefix`,
    )
  return new CidrValue(address!, Number(bits))
}

const width = ({ family }: Address): number => (family === 4 ? 32 : 128)
const network = ({ address, length }: CidrValue): bigint =>
  (address.bits >> BigInt(width(address) - length)) << BigInt(width(address) - length)
const within = (range: CidrValue, address: Address): boolean =>
  address.family === range.address.family &&
  address.bits >> BigInt(width(address) - range.length) === range.address.bits >> BigInt(width(address) - range.length)
const inRange = (address: Address, ...ranges: string[]): boolean =>
  ranges.some((range) => within(cidrOf(range), address))

const addresses: Overload[] = [
  overload('ip(string): net.IP', ipOf),
  overload('isIP(string): bool', (text: string) => addressOf(text) !== undefined),
  overload('ip:isCanonical(string): bool', (text: string) => ipOf(text).text() === text),
  overload('net.IP.family(): int', ({ address }: IpValue) => BigInt(address.family)),
  overload('net.IP.isUnspecified(): bool', ({ address }: IpValue) => address.bits === 0n),
  overload('net.IP.isLoopback(): bool', ({ address }: IpValue) => inRange(address, '127.0.0.0/8', '::1/128')),
  overload('net.IP.isLinkLocalMulticast(): bool', ({ address }: IpValue) =>
    inRange(address, '224.0.0.0/24', 'ff02::/16'),
  ),
  overload('net.IP.isLinkLocalUnicast(): bool', ({ address }: IpValue) =>
    inRange(address, '169.254.0.0/16', 'fe80::/10'),
  ),
  overload(
    'net.IP.isGlobalUnicast(): bool',
    ({ address }: IpValue) =>
      address.bits !== 0n &&
      !inRange(
        address,
        '127.0.0.0/8',
        '::1/128',
        '224.0.0.0/4',
        'ff00::/8',
        '169.254.0.0/16',
        'fe80::/10',
        '255.255.255.255/32',
      ),
  ),
  overload('string(net.IP): string', (ip: IpValue) => ip.text()),
  overload('cidr(string): net.CIDR', cidrOf),
  overload('isCIDR(string): bool', (text: string) => holds(text, cidrOf)),
  overload('net.CIDR.containsIP(net.IP): bool', (range: CidrValue, { address }: IpValue) => within(range, address)),
  overload('net.CIDR.containsIP(string): bool', (range: CidrValue, text: string) => within(range, ipOf(text).address)),
  overload(
    'net.CIDR.containsCIDR(net.CIDR): bool',
    (range: CidrValue, other: CidrValue) => other.length >= range.length && within(range, other.address),
  ),
  overload(
    'net.CIDR.containsCIDR(string): bool',
    (range: CidrValue, text: string) => cidrOf(text).length >= range.length && within(range, cidrOf(text).address),
  ),
  overload('net.CIDR.ip(): net.IP', ({ address }: CidrValue) => new IpValue(address)),
  overload(
    'net.CIDR.masked(): net.CIDR',
    (range: CidrValue) => new CidrValue({ ...range.address, bits: network(range) }, range.length),
  ),
  overload('net.CIDR.prefixLength(): int', ({ length }: CidrValue) => BigInt(length)),
  overload('string(net.CIDR): string', (range: CidrValue) => range.text()),
]

// ---------------------------------------------------------------- formats

class FormatValue extends Opaque {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: (text: string) => readonly string[]
  constructor(name: string, check: (text: string) => readonly string[]) {
    super()
    this.name = name
    this.check = check
  }
  text(): string {
    return this.name
  }
}

const valid = (text: string, pattern: RegExp, problem: string): string[] => (pattern.test(text) ? [] : [problem])

const formats: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label: isLabel,
  dns1123Subdomain: isSubdomain,
  dns1035Label: isDns1035Label,
  dns1123LabelPrefix: (text) => dnsLabelErrors(text, true),
  dns1123SubdomainPrefix: (text) => dnsSubdomainErrors(text, true),
  dns1035LabelPrefix: (text) => dns1035LabelErrors(text, true),
  qualifiedName: isQualifiedName,
  labelValue: isLabelValue,
  uri: (text) => (parseUrl(text) ? [] : ['invalid URI']),
  uuid: (text) =>
    valid(
      text,
      /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
      'does not match the UUID format',
    ),
  byte: (text) => valid(text, /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64'),
  date: (text) => valid(text, /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, 'invalid date'),
  datetime: (text) => (Number.isNaN(Date.parse(text)) ? ['invalid datetime'] : []),
}

const formatNamed = (name: string): FormatValue => new FormatValue(name, formats[name]!)

const namedFormats: Overload[] = [
  ...Object.keys(formats).map((name) => overload(`format:${name}(): kubernetes.NamedFormat`, () => formatNamed(name))),
  overload(
    'format:named(string): optional<kubernetes.NamedFormat>',
    (name: string) => new Optional(Object.hasOwn(formats, name) ? formatNamed(name) : undefined),
  ),
  overload('kubernetes.NamedFormat.validate(string): optional<list<string>>', (format: FormatValue, text: string) => {
    const problems = format.check(text)
    return new Optional(problems.length ? new CelList(problems) : undefined)
  }),
]

// ---------------------------------------------------------------- versions

class SemverValue extends Opaque {
  readonly type = 'kubernetes.Semver'
  readonly parts: readonly [bigint, bigint, bigint]
  readonly pre: string
  constructor(parts: readonly [bigint, bigint, bigint], pre: string) {
    super()
    this.parts = parts
    this.pre = pre
  }
  text(): string {
    return this.parts.join('.') + (this.pre && `-${this.pre}`)
  }
}

const semverPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-.]+)?$/

function semver(text: string, normalise = false): SemverValue {
  let source = text
  if (normalise) {
    source = text.replace(/^v/, '')
    const [core = '', ...rest] = source.split(/(?=[-+])/)
    const numbers = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
    while (numbers.length < 3) numbers.push('0')
    source = numbers.join('.') + rest.join('')
  }
  const match = semverPattern.exec(source)
  if (!match) return fail(`semver parse error during conversion from string: ${text}`)
  return new SemverValue([BigInt(match[1]!), BigInt(match[2]!), BigInt(match[3]!)], match[4] ?? '')
}

function compareSemver(a: SemverValue, b: SemverValue): bigint {
  for (let i = 0; i < 3; i++) if (a.parts[i]! !== b.parts[i]!) return a.parts[i]! < b.parts[i]! ? -1n : 1n
  if (a.pre === b.pre) return 0n
  if (!a.pre || !b.pre) return a.pre ? -1n : 1n
  const [left, right] = [a.pre.split('.'), b.pre.split('.')]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    if (x === y) continue
    if (x === undefined || y === undefined) return x === undefined ? -1n : 1n
    const [xNumber, yNumber] = [/^\d+$/.test(x), /^\d+$/.test(y)]
    if (xNumber && yNumber) return BigInt(x) < BigInt(y) ? -1n : 1n
    if (xNumber !== yNumber) return xNumber ? -1n : 1n
    return x < y ? -1n : 1n
  }
  return 0n
}

const versions: Overload[] = [
  overload('semver(string): kubernetes.Semver', (text: string) => semver(text)),
  overload('semver(string, bool): kubernetes.Semver', semver),
  overload('isSemver(string): bool', (text: string) => holds(text, semver)),
  overload('isSemver(string, bool): bool', (text: string, normalise: boolean) =>
    holds(text, (each) => semver(each, normalise)),
  ),
  overload(
    'kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool',
    (a: SemverValue, b: SemverValue) => compareSemver(a, b) > 0n,
  ),
  overload(
    'kubernetes.Semver.isLessThan(kubernetes.Semver): bool',
    (a: SemverValue, b: SemverValue) => compareSemver(a, b) < 0n,
  ),
  overload('kubernetes.Semver.compareTo(kubernetes.Semver): int', compareSemver),
  ...(['major', 'minor', 'patch'] as const).map((name, i) =>
    overload(`kubernetes.Semver.${name}(): int`, ({ parts }: SemverValue) => parts[i]!),
  ),
]

/** What upstream adds for its own objects. */
export const kubernetesLibrary: readonly Overload[] = [
  ...urls,
  ...quantities,
  ...addresses,
  ...namedFormats,
  ...versions,
]
