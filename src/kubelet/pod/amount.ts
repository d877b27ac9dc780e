import { milliUnitsOf, parseQuantity, unitsOf, type Quantity } from '../../api/quantity/quantity.ts'

/** Few quantities are written in many pods: each is parsed once. */
const parsed = new Map<string, Quantity>()
const parsedMax = 10_000

const zero: Quantity = { nano: 0n, format: 'DecimalSI' }

/** Undefined and what is none count as zero: the API has checked them all. */
function quantityOf(text: string | undefined): Quantity {
  if (text === undefined || text === '') return zero
  let quantity = parsed.get(text)
  if (!quantity) {
    try {
      quantity = parseQuantity(text)
    } catch {
      quantity = zero
    }
    if (parsed.size >= parsedMax) parsed.clear()
    parsed.set(text, quantity)
  }
  return quantity
}

/** A quantity as a number, for what the kernel is told: exact up to 2^53, which is more than a machine has. */
export const amountOf = (quantity: string | undefined): number => Number(quantityOf(quantity).nano) / 1e9

/** Thousandths of a core, rounded up. */
export const cpuMillis = (quantity: string | undefined): number => milliUnitsOf(quantityOf(quantity))

/** Bytes, or any other count, rounded up. */
export const wholeAmount = (quantity: string | undefined): number => unitsOf(quantityOf(quantity))

/** 1500 → '1500m', 2000 → '2': how quantities of cores are written. */
export const cpuText = (millis: number): string => (millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`)
