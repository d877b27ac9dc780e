import { canonicalQuantity, formatQuantity, quantityOf } from '../../api/quantity/quantity.ts'
import type { Clock } from '../../base/clock.ts'
import type { KubeletSettings } from '../config.ts'
import type { FilesystemUsage, Machine, MachineUsage } from '../host/host.ts'
import type { Pressures } from '../node/node-conditions.ts'
import { amountOf } from '../pod/amount.ts'

/** A threshold that is passed. */
export interface Shortage {
  /** 'memory.available' */
  readonly signal: string
  /** 'memory', 'ephemeral-storage', 'inodes', 'pids' */
  readonly resource: string
  readonly condition: keyof Pressures
  readonly available: number
  readonly threshold: number
  /** Both as quantities. */
  readonly availableText: string
  readonly thresholdText: string
  /** A soft one: pods get their grace. */
  readonly soft: boolean
  readonly separateImagefs: boolean
}

interface Options {
  readonly clock: Clock
  readonly settings: KubeletSettings
  readonly machine: Machine
}

interface Signal {
  readonly resource: string
  readonly condition: keyof Pressures
  readonly read: (usage: MachineUsage) => { readonly available: number; readonly capacity: number } | undefined
}

const bytes = (usage: FilesystemUsage | undefined) =>
  usage && { available: usage.availableBytes, capacity: usage.capacityBytes }
const inodes = (usage: FilesystemUsage | undefined) =>
  usage && usage.inodes > 0 ? { available: usage.inodesFree, capacity: usage.inodes } : undefined

const signals: Readonly<Record<string, Signal>> = {
  'memory.available': {
    resource: 'memory',
    condition: 'memory',
    read: (usage) => ({ available: usage.memoryAvailableBytes, capacity: usage.memoryCapacityBytes }),
  },
  'nodefs.available': { resource: 'ephemeral-storage', condition: 'disk', read: ({ nodefs }) => bytes(nodefs) },
  'nodefs.inodesFree': { resource: 'inodes', condition: 'disk', read: ({ nodefs }) => inodes(nodefs) },
  'imagefs.available': { resource: 'ephemeral-storage', condition: 'disk', read: ({ imagefs }) => bytes(imagefs) },
  'imagefs.inodesFree': { resource: 'inodes', condition: 'disk', read: ({ imagefs }) => inodes(imagefs) },
  'pid.available': {
    resource: 'pids',
    condition: 'pids',
    read: (usage) => ({ available: usage.pidsAvailable, capacity: usage.pidsMax }),
  },
}

/** Watches the node's resources against the configuration's thresholds. A condition stays for a while after its cause is gone. */
export class NodePressure {
  readonly #options: Options
  readonly #lastShortMs = new Map<keyof Pressures, number>()
  /** When a threshold was first passed, by signal and whether it is soft. */
  readonly #sinceMs = new Map<string, number>()
  /** Thresholds because of which something is done. */
  readonly #acted = new Set<string>()

  constructor(options: Options) {
    this.#options = options
  }

  /** What is short now: hard thresholds at once, soft ones after their grace. Once passed, more must be freed where the configuration says so. */
  async observe(): Promise<Shortage[]> {
    const { settings, machine, clock } = this.#options
    const usage = await machine.usage()
    const nowMs = clock.now()
    const short: Shortage[] = []
    for (const soft of [false, true]) {
      for (const [signal, threshold] of Object.entries(soft ? settings.evictionSoft : settings.evictionHard)) {
        const key = `${signal} ${soft ? 'soft' : 'hard'}`
        const reclaim = this.#acted.has(key) ? settings.evictionMinimumReclaim[signal] : undefined
        const found = shortage({ signal, threshold, reclaim, soft }, usage)
        if (!found) {
          this.#sinceMs.delete(key)
          this.#acted.delete(key)
          continue
        }
        const sinceMs = this.#sinceMs.get(key) ?? nowMs
        this.#sinceMs.set(key, sinceMs)
        this.#lastShortMs.set(found.condition, nowMs)
        if (soft && nowMs - sinceMs < (settings.evictionSoftGraceMs[signal] ?? 0)) continue
        this.#acted.add(key)
        short.push(found)
      }
    }
    return short
  }

  /** The node's pressure conditions. */
  conditions(): Pressures {
    const nowMs = this.#options.clock.now()
    const holds = (condition: keyof Pressures) =>
      nowMs - (this.#lastShortMs.get(condition) ?? -Infinity) < this.#options.settings.evictionPressureTransitionMs
    return { memory: holds('memory'), disk: holds('disk'), pids: holds('pids') }
  }
}

interface Threshold {
  readonly signal: string
  /** A quantity or a part of the whole. */
  readonly threshold: string
  readonly reclaim: string | undefined
  readonly soft: boolean
}

function shortage({ signal, threshold, reclaim, soft }: Threshold, usage: MachineUsage): Shortage | undefined {
  const known = signals[signal]
  const reading = known?.read(usage)
  if (!known || !reading) return undefined
  const { available, capacity } = reading
  const amount = (text: string) =>
    text.endsWith('%') ? Math.floor((capacity * Number(text.slice(0, -1))) / 100) : amountOf(text)
  const least = amount(threshold)
  if (available >= least + (reclaim ? amount(reclaim) : 0)) return undefined
  const { resource, condition } = known
  const format = resource === 'inodes' || resource === 'pids' ? 'DecimalSI' : 'BinarySI'
  return {
    signal,
    resource,
    condition,
    available,
    threshold: least,
    availableText: formatQuantity(quantityOf(Math.floor(available), format)),
    thresholdText: threshold.endsWith('%')
      ? formatQuantity(quantityOf(least, 'BinarySI'))
      : canonicalQuantity(threshold),
    soft,
    separateImagefs: usage.separateImagefs,
  }
}
