import { isLabel, isSubdomain } from '../validation/names.ts'
import { parseCidr, parseIp } from '../validation/ips.ts'

const uuid = (version: string, variant = '[0-9a-f]') => new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i')
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const dateTime = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const duration = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|us|µs|μs|ms|s|m|h|d|w|[a-z]+)(?:\s*(?:\d+(?:\.\d*)?|\.\d+)\s*[a-zµμ]+)*\s*$/i

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return false
  const [year, month, day] = match.slice(1).map(Number)
  const date = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1))
  return date.getUTCMonth() === (month ?? 1) - 1 && date.getUTCDate() === day
}

const isIpOf = (length: number) => (text: string) => parseIp(text)?.bytes.length === length && !parseIp(text)?.sloppy

/** What strings of a format look like. Formats that are not here (those of numbers among them) are not looked at. */
export const formats: ReadonlyMap<string, (text: string) => boolean> = new Map<string, (text: string) => boolean>([
  ['bsonobjectid', (text) => /^[0-9a-f]{24}$/i.test(text)],
  ['uri', (text) => URL.canParse(text)],
  ['email', (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text)],
  ['hostname', (text) => text.length <= 255 && /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)*$/.test(text)],
  ['ipv4', isIpOf(4)],
  ['ipv6', isIpOf(16)],
  ['cidr', (text) => parseCidr(text) !== undefined],
  ['mac', (text) => /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(text)],
  ['uuid', (text) => uuid('[0-9a-f]').test(text)],
  ['uuid3', (text) => uuid('3').test(text)],
  ['uuid4', (text) => uuid('4', '[89ab]').test(text)],
  ['uuid5', (text) => uuid('5', '[89ab]').test(text)],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', (text) => isIsbn10(text)],
  ['isbn13', (text) => isIsbn13(text)],
  ['creditcard', (text) => isCreditCard(text)],
  ['ssn', (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text)],
  ['rgbcolor', (text) => /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/.test(text)],
  ['byte', (text) => text !== '' && base64.test(text)],
  ['password', () => true],
  ['date', isDate],
  ['duration', (text) => duration.test(text)],
  ['datetime', (text) => isDateTime(text)],
  ['date-time', (text) => isDateTime(text)],
  ['k8s-short-name', (text) => isLabel(text).length === 0],
  ['k8s-long-name', (text) => isSubdomain(text).length === 0],
])

function isDateTime(text: string): boolean {
  const match = dateTime.exec(text)
  return !!match && isDate(text.slice(0, 10)) && Number(match[4]) < 24 && Number(match[5]) < 60 && Number(match[6]) < 60
}

const digitsOf = (text: string): string => text.replaceAll(/[\s-]/g, '')

function isIsbn10(text: string): boolean {
  const digits = digitsOf(text)
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  return [...digits].reduce((sum, digit, i) => sum + (i + 1) * (digit === 'X' ? 10 : Number(digit)), 0) % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = digitsOf(text)
  return /^\d{13}$/.test(digits) && [...digits].reduce((sum, digit, i) => sum + Number(digit) * (i % 2 ? 3 : 1), 0) % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '')
  if (digits.length < 12 || digits.length > 19) return false
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}
