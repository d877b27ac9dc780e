/**
 * Kubernetes quantities: '100m', '1.5Gi', '2e3'. A value is an integer number of nano-units (the finest that upstream keeps), as a BigInt only where a
 * number cannot hold it exactly; the format is remembered, so that what was written in powers of two is shown in powers of two.
 */

/** How a quantity is written. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** A parsed quantity: `nano` billionths. */
export interface Quantity {
  readonly nano: bigint
  readonly format: QuantityFormat
}

/** What upstream says of text that is no quantity. */
export const quantityFormatError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const suffixError = "unable to parse quantity's suffix"

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const decimalByExponent = new Map([...decimalSuffixes].map(([suffix, exponent]) => [exponent, suffix]))

const nanoPerUnit = 1_000_000_000n
/** Upstream caps what is written in powers of two at 2^63-1 units. */
const nanoMax = (2n ** 63n - 1n) * nanoPerUnit
/** Longer texts are refused: nothing needs them, and big arithmetic takes time. */
const digitsMax = 400
const exponentMax = 400

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d+))$/
/** Text whose number is fine, so that the suffix is what is wrong. */
const numberThenSuffix = /^[+-]?\d*(?:\.\d*)?[eEinumkKMGTP]*[-+]?\d*$/

/** Parses a quantity; throws an error with upstream's text. */
export function parseQuantity(text: string): Quantity {
  const match = text !== '' && text.length <= digitsMax ? pattern.exec(text) : null
  if (!match) throw new Error(text !== '' && numberThenSuffix.test(text) ? suffixError : quantityFormatError)
  const [, sign, whole, fraction = '', binary, decimal, exponent] = match
  const digits = BigInt(whole + fraction || '0')
  let format: QuantityFormat = 'DecimalSI'
  // The value is digits * 10^tenPower * 2^twoPower.
  let tenPower = 9 - fraction.length
  let twoPower = 0
  if (binary) {
    format = 'BinarySI'
    twoPower = binarySuffixes.indexOf(binary) * 10
  } else if (exponent !== undefined) {
    format = 'DecimalExponent'
    if (Number(exponent) > exponentMax) throw new Error(quantityFormatError)
    tenPower += Math.max(Number(exponent), -exponentMax)
  } else {
    tenPower += decimalSuffixes.get(decimal ?? '')!
  }
  let nano = scaled(digits << BigInt(twoPower), tenPower)
  if (format === 'BinarySI' && nano > nanoMax) nano = nanoMax
  // What is too fine for a power of two is shown in decimals, as upstream does.
  if (format === 'BinarySI' && nano > 0n && nano < nanoPerUnit) format = 'DecimalSI'
  return { nano: sign === '-' ? -nano : nano, format }
}

/** value * 10^power, fractions rounded away from zero: upstream never makes a request smaller than it was written. */
function scaled(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return value / divisor + (value % divisor === 0n ? 0n : 1n)
}

/** The canonical text: no fraction, the largest suffix that allows it. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const sign = nano < 0n ? '-' : ''
  const size = nano < 0n ? -nano : nano
  if (format === 'BinarySI' && size >= 1024n * nanoPerUnit && size % nanoPerUnit === 0n) {
    let units = size / nanoPerUnit
    let suffix = 0
    while (suffix < binarySuffixes.length - 1 && units % 1024n === 0n) {
      units /= 1024n
      suffix++
    }
    return `${sign}${units}${binarySuffixes[suffix]}`
  }
  let digits = size
  let exponent = -9
  while ((exponent < 18 || format === 'DecimalExponent') && digits % 1000n === 0n) {
    digits /= 1000n
    exponent += 3
  }
  if (format === 'DecimalExponent') return `${sign}${digits}${exponent === 0 ? '' : `e${exponent}`}`
  return `${sign}${digits}${decimalByExponent.get(exponent)}`
}

/** Canonical texts by what was written: few different ones are in use. */
const canonical = new Map<string, string>()
const canonicalMax = 2000

/** The canonical text of a quantity's text; throws upstream's error when it is none. */
export function canonicalQuantity(text: string): string {
  const hit = canonical.get(text)
  if (hit !== undefined) return hit
  const parsed = parseQuantity(text)
  const result = keptAsWritten.test(text) && isKept(text) ? text : formatQuantity(parsed)
  if (canonical.size >= canonicalMax) canonical.clear()
  canonical.set(text, result)
  return result
}

/** At most 18 digits, the first of them not zero unless it leads a number without a fraction. */
const keptAsWritten = /^[+-]?0*([1-9]\d*)(?:\.(\d*))?([A-Za-z][+-\d\w]*)?$/

/**
 * Upstream keeps a text that it takes for canonical: '1.500' stays, though '1500m' would be its canonical form, and so does '+1'.
 * Its rule: the digits without the point do not end in 000 and their power of ten is a multiple of three; with a binary suffix, no fraction and a number that 8 does not divide.
 */
function isKept(text: string): boolean {
  const [, whole, fraction = '', suffix = ''] = keptAsWritten.exec(text)!
  const digits = whole + fraction
  if (suffix.endsWith('i'))
    return (
      !text.includes('.') &&
      14 - digits.length - Math.trunc((binarySuffixes.indexOf(suffix) * 10 * 3) / 10) >= 0 &&
      BigInt(digits) % 8n !== 0n
    )
  const exponent = /^[eE]/.test(suffix) && suffix.length > 1 ? Number(suffix.slice(1)) : decimalSuffixes.get(suffix)!
  const scale = exponent - fraction.length
  return digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000')
}

/** Negative, zero or positive, as a sort needs it. */
export const compareQuantities = (a: Quantity, b: Quantity): number => (a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0)

/** The sum, in the format of the first one that is not zero. */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano + b.nano,
  format: a.nano === 0n ? b.format : a.format,
})

/** The difference, in the format of the first one that is not zero. */
export const subtractQuantities = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano - b.nano,
  format: a.nano === 0n ? b.format : a.format,
})

/** The quantity of a number of whole units. */
export const quantityOf = (units: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  nano: BigInt(units) * nanoPerUnit,
  format,
})

/** The quantity of a number of thousandths. */
export const milliQuantityOf = (milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  nano: BigInt(milli) * 1_000_000n,
  format,
})

/** Whole units, rounded up: upstream's Value(). */
export const unitsOf = (quantity: Quantity): number => Number(ceilDivide(quantity.nano, nanoPerUnit))

/** Thousandths, rounded up: upstream's MilliValue(). */
export const milliUnitsOf = (quantity: Quantity): number => Number(ceilDivide(quantity.nano, 1_000_000n))

function ceilDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient
}
