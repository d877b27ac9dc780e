const suffixes: Readonly<Record<string, number>> = {
  '': 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

/** A valid quantity as a number, for what the kernel is told (cgroups, limits): exact up to 2^53, which is more than a machine has. */
export function amountOf(quantity: string | undefined): number {
  if (quantity === undefined) return 0
  const parts = /^([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([a-zA-Z]*))$/.exec(quantity)
  if (!parts) return 0
  return Number(`${parts[1]}${parts[2] ?? ''}`) * (suffixes[parts[3] ?? ''] ?? 0)
}

/** Rounds away what binary fractions add (0.1 × 1000), then up, as upstream rounds quantities. */
const up = (value: number) => (Number.isInteger(value) ? value : Math.ceil(Number(value.toPrecision(15))))

/** Thousandths of a core. */
export const cpuMillis = (quantity: string | undefined): number => up(amountOf(quantity) * 1000)

/** Bytes, or any other count. */
export const wholeAmount = (quantity: string | undefined): number => up(amountOf(quantity))

/** 1500 → '1500m', 2000 → '2': how quantities of cores are written. */
export const cpuText = (millis: number): string => (millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`)
