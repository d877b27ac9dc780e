import { milliUnitsOf, unitsOf } from '../../api/quantity/quantity.ts'
import { amountOf as quantityOf } from '../../api/validation/quantities.ts'

/** A quantity as a number, for what the kernel is told: exact up to 2^53, which is more than a machine has. */
export const amountOf = (quantity: string | undefined): number => Number(quantityOf(quantity).nano) / 1e9

/** Thousandths of a core, rounded up. */
export const cpuMillis = (quantity: string | undefined): number => milliUnitsOf(quantityOf(quantity))

/** Bytes, or any other count, rounded up. */
export const wholeAmount = (quantity: string | undefined): number => unitsOf(quantityOf(quantity))

/** 1500 → '1500m', 2000 → '2': how quantities of cores are written. */
export const cpuText = (millis: number): string => (millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`)
