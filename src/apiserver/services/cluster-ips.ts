import { ipAddresses, serviceCIDRs } from '../../api/generated/resources.ts'
import type { IPAddress, ServiceCIDR } from '../../api/generated/types/networking-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { Deps } from '../../base/deps.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { Registry } from '../registry/registry.ts'
import { timeText } from '../../api/schema/times.ts'
import { familyOf, IpRange, type IpFamily } from './ip-range.ts'

/** An address cannot be given out. */
export class AllocationError extends Error {
  override name = 'AllocationError'
}

/** How often a random address is tried before all are gone through. */
const randomTries = 32

/**
 * Gives out the cluster IPs of Services. What claims an address is an IPAddress object of its name: whoever creates it has the address, so several API servers on one store never
 * give out the same.
 */
export class ClusterIps {
  readonly #registry: Registry
  readonly #deps: Deps
  readonly #defaults: readonly IpRange[]

  constructor(registry: Registry, deps: Deps, ranges: readonly string[]) {
    this.#registry = registry
    this.#deps = deps
    this.#defaults = ranges.map((range) => IpRange.parse(range))
  }

  /** The families that Services can have, the default one first. */
  get families(): IpFamily[] {
    return [...new Set(this.#defaults.map(({ family }) => family))]
  }

  /** Claims this very address. Throws an `AllocationError`. */
  async claim(ip: string, service: { namespace: string; name: string }, dryRun: boolean): Promise<void> {
    if (!this.#ranges(familyOf(ip)).some((range) => range.contains(ip)))
      throw new AllocationError(`the provided network does not match the current range`)
    // A dry run is not told that somebody else has it, as upstream.
    if (dryRun) return
    if (this.#registry.get(ipAddresses, { name: ip }) || !(await this.#create(ip, service)))
      throw new AllocationError('provided IP is already allocated')
  }

  /** Claims any free address of a family. */
  async claimNext(family: IpFamily, service: { namespace: string; name: string }, dryRun: boolean): Promise<string> {
    for (const range of this.#ranges(family)) {
      for (const ip of candidates(range, this.#deps)) {
        if (this.#registry.get(ipAddresses, { name: ip })) continue
        if (dryRun || (await this.#create(ip, service))) return ip
      }
    }
    throw new AllocationError('range is full')
  }

  /** Gives an address back. */
  async release(ip: string): Promise<void> {
    const storage = this.#registry.storageOfResource(ipAddresses)!
    const current = storage.get('', ip)
    if (current) await storage.remove(current, { ...current.object, metadata: { ...current.object.metadata } } as Draft)
  }

  /** Every range that Services may have addresses of: the configured ones, and those of ServiceCIDR objects that are in use. */
  #ranges(family: IpFamily): IpRange[] {
    const more = this.#registry
      .list(serviceCIDRs)
      .filter(isUsable)
      .flatMap(({ spec }) => (spec?.cidrs ?? []).map((cidr) => IpRange.parse(cidr)))
    return [...this.#defaults, ...more].filter((range) => range.family === family)
  }

  async #create(ip: string, { namespace, name }: { namespace: string; name: string }): Promise<boolean> {
    const storage = this.#registry.storageOfResource(ipAddresses)!
    const object: IPAddress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: ip,
        uid: this.#deps.random.uuid(),
        resourceVersion: '0',
        generation: 1,
        creationTimestamp: timeText(this.#deps.clock.now()),
        labels: {
          'ipaddress.kubernetes.io/ip-family': familyOf(ip),
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { group: '', resource: 'services', namespace, name } },
    }
    return (await storage.create(normalise(storage.kind.schema, object) as unknown as Draft)) !== undefined
  }
}

const isUsable = ({ metadata, status }: Frozen<ServiceCIDR>): boolean =>
  !metadata?.deletionTimestamp &&
  !status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'False')

/** Random addresses first, from the upper part: people choose from the lower one. Then all in order. */
function* candidates(range: IpRange, { random }: Deps): Iterable<string> {
  const { size } = range
  const lower = size < 16n ? 0n : size / 16n < 16n ? 16n : size / 16n > 256n ? 256n : size / 16n
  const upper = size - lower
  for (let i = 0; i < randomTries && upper > 0n; i++)
    yield range.at(lower + BigInt(Math.floor(random.number() * Number(upper > 2n ** 48n ? 2n ** 48n : upper))))
  const end = size > 65536n ? 65536n : size
  for (let i = lower; i < end; i++) yield range.at(i)
  for (let i = 0n; i < lower; i++) yield range.at(i)
}
