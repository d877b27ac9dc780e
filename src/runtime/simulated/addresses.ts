/** The addresses of an IPv4 range without its first (the network), second (the gateway) and last: given one after the other, from the beginning again at its end, none that is in use. */
export class AddressRange {
  readonly #start: number
  readonly #size: number
  readonly #used = new Set<string>()
  #next = firstHost

  constructor(cidr: string) {
    const [base = '0.0.0.0', bits = '16'] = cidr.split('/')
    this.#start = base.split('.').reduce((number, part) => number * 256 + Number(part), 0)
    this.#size = 2 ** (32 - Number(bits))
  }

  /** The next address that is free; undefined when all are in use. */
  take(): string | undefined {
    for (let tried = firstHost; tried < this.#size - 1; tried++) {
      const ip = textOf(this.#start + this.#next)
      this.#next = this.#next + 1 < this.#size - 1 ? this.#next + 1 : firstHost
      if (this.#used.has(ip)) continue
      this.#used.add(ip)
      return ip
    }
    return undefined
  }

  /** Nobody uses it any more. */
  release(ip: string): void {
    this.#used.delete(ip)
  }
}

const firstHost = 2

const textOf = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
