import { formatQuantity, parseQuantity, type Quantity } from '../quantity/quantity.ts'

/**
 * Amounts as rules compare them: exact, in billionths, straight from the text of decoded objects.
 */
const billion = 1_000_000_000n
const million = 1_000_000n
const zero: Quantity = { nano: 0n, format: 'DecimalSI' }

/** The same few amounts come again and again. */
const seen = new Map<string, Quantity>()
const seenMax = 4096

/** An amount that was decoded; what is no amount counts as nothing. */
export function amountOf(text: string | number | undefined): Quantity {
  if (text === undefined || text === null) return zero
  const key = String(text)
  const known = seen.get(key)
  if (known !== undefined) return known
  const value = parsed(key)
  if (seen.size >= seenMax) seen.clear()
  seen.set(key, value)
  return value
}

function parsed(text: string): Quantity {
  try {
    return parseQuantity(text)
  } catch {
    // Decoding refuses such text; only annotations and names of huge pages come here unchecked.
    return zero
  }
}

/** Billionths of the unit; 0 for what is absent. */
export const nanos = (text: string | number | undefined): bigint => amountOf(text).nano

/** Negative, zero or positive, as for sorting. */
export function compareAmounts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  const [left, right] = [nanos(a), nanos(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Rounds up, also below zero. */
const divideUp = (value: bigint, by: bigint) => (value > 0n ? (value + by - 1n) / by : value / by)

/** Whole units, rounded up. */
export const wholeUnits = (text: string | undefined): bigint => divideUp(nanos(text), billion)

/** Whether a quantity is below zero. */
export const isNegativeAmount = (text: string | undefined): boolean => nanos(text) < 0n

/** Whether nothing is left below the unit, to a thousandth (rounded up). */
export const isWholeAmount = (text: string | undefined): boolean => divideUp(nanos(text), million) % 1000n === 0n

/** The text of an amount in billionths. */
export const amountText = (nano: bigint, like: Quantity = zero): string => formatQuantity({ nano, format: like.format })

/** Amounts in objects have no more than three decimals: what is finer is rounded up. */
export function roundAmounts(amounts: { [name: string]: string } | undefined): void {
  for (const name in amounts) {
    const text = amounts[name]
    if (text === undefined || !/[.nueE]/.test(text)) continue
    const quantity = amountOf(text)
    if (quantity.nano % million !== 0n) amounts[name] = amountText(divideUp(quantity.nano, million) * million, quantity)
  }
}
