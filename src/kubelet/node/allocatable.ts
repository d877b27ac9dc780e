import { amountOf, cpuMillis, cpuText, wholeAmount } from '../pod/amount.ts'
import type { KubeletSettings } from '../config.ts'

type Quantities = Readonly<Record<string, string>>

/** What pods may have: the capacity, less what is kept for the system, for Kubernetes, and for the hard eviction thresholds. */
export function allocatableOf(capacity: Quantities, settings: KubeletSettings): Quantities {
  const out: Record<string, string> = {}
  for (const [name, quantity] of Object.entries(capacity)) {
    const reserved = [settings.systemReserved[name], settings.kubeReserved[name]]
    if (name === 'cpu') {
      out[name] = cpuText(Math.max(0, cpuMillis(quantity) - reserved.reduce((sum, one) => sum + cpuMillis(one), 0)))
      continue
    }
    const total = wholeAmount(quantity)
    const kept = reserved.reduce((sum, one) => sum + wholeAmount(one), 0) + evictionBytes(name, total, settings)
    out[name] = kept === 0 ? quantity : shortest(Math.max(0, total - kept), quantity)
  }
  return out
}

const evictionSignals: Readonly<Record<string, string>> = {
  memory: 'memory.available',
  'ephemeral-storage': 'nodefs.available',
}

function evictionBytes(name: string, total: number, settings: KubeletSettings): number {
  const threshold = settings.evictionHard[evictionSignals[name] ?? '']
  if (!threshold) return 0
  return threshold.endsWith('%') ? Math.floor((total * Number(threshold.slice(0, -1))) / 100) : amountOf(threshold)
}

/** In the unit of the capacity where that divides. */
const shortest = (bytes: number, like: string): string =>
  like.endsWith('Ki') && bytes % 1024 === 0 ? `${bytes / 1024}Ki` : String(bytes)
