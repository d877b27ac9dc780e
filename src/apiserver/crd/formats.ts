import { isIP, isIPv4, isIPv6 } from 'node:net'

type Test = (text: string) => boolean

const matches =
  (pattern: RegExp): Test =>
  (text) =>
    pattern.test(text)

const isDate: Test = (text) => {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

const isDateTime: Test = (text) => {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)?$/.exec(text)
  return match !== null && isDate(match[1]!)
}

const isCidr: Test = (text) => {
  const [ip = '', bits = '', more] = text.split('/')
  const version = isIP(ip)
  return more === undefined && version !== 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

const isUri: Test = (text) => {
  if (/\s/.test(text)) return false
  return text.startsWith('/') || URL.canParse(text)
}

const isBase64: Test = (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

const isCard: Test = (text) => {
  const digits = text.replace(/[^0-9]/g, '')
  if (digits.length < 13 || digits.length > 19) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    let digit = Number(digits[digits.length - 1 - i])
    if (i % 2 === 1 && (digit *= 2) > 9) digit -= 9
    sum += digit
  }
  return sum % 10 === 0
}

const isIsbn: Test = (text) => {
  const plain = text.replace(/[- ]/g, '')
  if (/^\d{9}[\dX]$/.test(plain)) return [...plain].reduce((sum, sign, i) => sum + (sign === 'X' ? 10 : Number(sign)) * (10 - i), 0) % 11 === 0
  return /^\d{13}$/.test(plain) && [...plain].reduce((sum, sign, i) => sum + Number(sign) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0
}

const uuid = (version: string) => matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'))

/** Formats of strings that upstream's validation knows; others say nothing. */
const formats: Readonly<Record<string, Test>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  uri: isUri,
  email: matches(/^[^\s@"(),:;<>[\]\\]+@[^\s@"(),:;<>[\]\\]+$/),
  hostname: (text) => text.length <= 255 && /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?)*$/.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matches(/^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}|([0-9a-fA-F]{2}[:-]){2}[0-9a-fA-F]{2})$/),
  uuid: uuid('[0-9a-f]'),
  uuid3: uuid('3'),
  uuid4: uuid('4'),
  uuid5: uuid('5'),
  isbn: isIsbn,
  isbn10: (text) => isIsbn(text) && text.replace(/[- ]/g, '').length === 10,
  isbn13: (text) => isIsbn(text) && text.replace(/[- ]/g, '').length === 13,
  creditcard: isCard,
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(/^rgb\(\s*((1?\d?\d|2[0-4]\d|25[0-5])\s*,\s*){2}(1?\d?\d|2[0-4]\d|25[0-5])\s*\)$/),
  byte: isBase64,
  date: isDate,
  datetime: isDateTime,
  'date-time': isDateTime,
  duration: matches(/^[+-]?(\d+(\.\d*)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+$|^0$/),
}

/** Whether a text is of a format; true for formats that nobody knows. */
export function hasFormat(format: string, text: string): boolean {
  const test = Object.hasOwn(formats, format.replaceAll('-', '')) ? formats[format.replaceAll('-', '')] : formats[format]
  return test ? test(text) : true
}
