import { services } from '../../api/generated/resources.ts'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import { follow } from '../registry/follow.ts'
import type { Registry } from '../registry/registry.ts'
import { AllocationError } from './cluster-ips.ts'

/** Gives out the node ports of Services: those that Services have, and those that are about to get them, are taken. */
export class NodePorts {
  readonly #first: number
  readonly #last: number
  readonly #deps: Deps
  /** How many Services have a port: for a moment that can be two, when one is deleted and another made. */
  readonly #used = new Map<number, number>()
  readonly #pending = new Set<number>()
  readonly #ofService = new Map<string, ReadonlySet<number>>()

  private constructor(range: string, deps: Deps) {
    const match = /^(\d+)(?:-(\d+)|\+(\d+))?$/.exec(range)
    this.#first = Number(match?.[1])
    this.#last = match?.[2] !== undefined ? Number(match[2]) : this.#first + Number(match?.[3] ?? 0)
    if (!match || this.#last < this.#first || this.#last > 65535)
      throw new Error(`${JSON.stringify(range)} is no range of ports: write it as 30000-32767`)
    this.#deps = deps
  }

  /** Follows the Services, to know which ports are taken. */
  static async start(registry: Registry, deps: Deps, range: string): Promise<NodePorts> {
    const ports = new NodePorts(range, deps)
    await follow(registry.storageOfResource(services)!.cache, {
      set(entry) {
        ports.#forget(entry.key)
        const own = portsOf((entry.object as Frozen<Service>).spec)
        if (own.size === 0) return
        ports.#ofService.set(entry.key, own)
        for (const port of own) ports.#used.set(port, (ports.#used.get(port) ?? 0) + 1)
      },
      remove: (before) => ports.#forget(before.key),
    })
    return ports
  }

  /** Takes this very port. Throws an `AllocationError`. */
  claim(port: number): void {
    if (port < this.#first || port > this.#last)
      throw new AllocationError(
        `provided port is not in the valid range. The range of valid ports is ${this.#first}-${this.#last}`,
      )
    if (this.has(port)) throw taken()
    this.#pending.add(port)
  }

  /** Whether a Service has the port, or is about to. */
  has(port: number): boolean {
    return (this.#used.get(port) ?? 0) > 0 || this.#pending.has(port)
  }

  /** Takes any free port, from the upper part of the range first: people choose from the lower one. */
  claimNext(): number {
    const size = this.#last - this.#first + 1
    const lower = size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128)
    const upper = size - lower
    const start = Math.floor(this.#deps.random.number() * upper)
    for (let i = 0; i < size; i++) {
      const port = this.#first + (i < upper ? lower + ((start + i) % upper) : i - upper)
      if (this.has(port)) continue
      this.#pending.add(port)
      return port
    }
    throw new AllocationError('range is full')
  }

  /** A claim was given up. */
  giveUp(port: number): void {
    this.#pending.delete(port)
  }

  /** A claim is in a stored Service now, which is told in a later turn of the event loop. */
  settle(port: number): void {
    void this.#deps.clock
      .yield()
      .then(() => this.#deps.clock.yield())
      .then(() => this.#pending.delete(port))
  }

  #forget(key: string): void {
    for (const port of this.#ofService.get(key) ?? []) {
      const count = (this.#used.get(port) ?? 0) - 1
      if (count > 0) this.#used.set(port, count)
      else this.#used.delete(port)
    }
    this.#ofService.delete(key)
  }
}

/** Somebody else has the port. */
export const taken = (): AllocationError => new AllocationError('provided port is already allocated')

/** The node ports of a Service, each once. */
function portsOf(spec: Frozen<Service>['spec']): Set<number> {
  const ports = new Set<number>()
  for (const { nodePort } of spec?.ports ?? []) if (nodePort) ports.add(nodePort)
  if (spec?.healthCheckNodePort) ports.add(spec.healthCheckNodePort)
  return ports
}
