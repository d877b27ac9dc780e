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
  /** A soft one: pods get their grace. */
  readonly soft: boolean
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
  /** When a soft threshold was first passed. */
  readonly #softSinceMs = new Map<string, number>()

  constructor(options: Options) {
    this.#options = options
  }

  /** What is short now: hard thresholds at once, soft ones after their grace. */
  async observe(): Promise<Shortage[]> {
    const { settings, machine, clock } = this.#options
    const usage = await machine.usage()
    const nowMs = clock.now()
    const short: Shortage[] = []
    for (const [signal, threshold] of Object.entries(settings.evictionHard)) {
      const found = shortage(signal, threshold, usage, false)
      if (found) short.push(found)
    }
    for (const [signal, threshold] of Object.entries(settings.evictionSoft)) {
      const found = shortage(signal, threshold, usage, true)
      if (!found) this.#softSinceMs.delete(signal)
      else {
        const sinceMs = this.#softSinceMs.get(signal) ?? nowMs
        this.#softSinceMs.set(signal, sinceMs)
        if (nowMs - sinceMs >= (settings.evictionSoftGraceMs[signal] ?? 0)) short.push(found)
      }
    }
    for (const { condition } of short) this.#lastShortMs.set(condition, nowMs)
    return short
  }

  /** The node's pressure conditions. */
  conditions(): Pressures {
    const nowMs = this.#options.clock.now()
    const holds = (condition: keyof Pressures) =>
      nowMs - (this.#lastShortMs.get(condition) ?? -Infinity) < this.#options.settings.evictionPressureTransitionMs
    return { memory: holds('memory'), disk: holds('disk'), pids: holds('pids') }
  }

  /** What that means for new pods. */
  admission(): 'none' | 'memory' | 'other' {
    const { memory, disk, pids } = this.conditions()
    return disk || pids ? 'other' : memory ? 'memory' : 'none'
  }
}

function shortage(signal: string, threshold: string, usage: MachineUsage, soft: boolean): Shortage | undefined {
  const known = signals[signal]
  const reading = known?.read(usage)
  if (!known || !reading) return undefined
  const least = threshold.endsWith('%')
    ? (reading.capacity * Number(threshold.slice(0, -1))) / 100
    : amountOf(threshold)
  return reading.available < least
    ? {
        signal,
        resource: known.resource,
        condition: known.condition,
        available: reading.available,
        threshold: least,
        soft,
      }
    : undefined
}
