import { randomBytes, randomUUID } from 'node:crypto'

/** Chance as a thing that is given, so that a simulation replays from its seed. */
export interface Random {
  /** A number in [0, 1). */
  number(): number
  /** A version 4 UUID. */
  uuid(): string
  /** Random bytes; from a seeded source never fit for secrets. */
  bytes(count: number): Buffer
}

/** The operating system's randomness. */
export const realRandom: Random = {
  number: Math.random,
  uuid: () => randomUUID(),
  bytes: randomBytes,
}

/** The letters of generated names: no vowels, so no words; none that look like another. As upstream's. */
const nameLetters = 'bcdfghjklmnpqrstvwxz2456789'

/** The random end of a generated name: `count` letters. */
export function nameSuffix(random: Random, count = 5): string {
  let out = ''
  for (let i = 0; i < count; i++) out += nameLetters[Math.floor(random.number() * nameLetters.length)]
  return out
}

/** A source that gives the same sequence for the same seed (the algorithm is sfc32). */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed
  let b = 0x243f6a88 ^ (seed / 2 ** 32)
  let c = 0xb7e15162
  let d = 1
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => next() & 0xff))
  return {
    number: () => next() / 2 ** 32,
    bytes,
    uuid() {
      const raw = bytes(16)
      raw[6] = (raw[6]! & 0x0f) | 0x40
      raw[8] = (raw[8]! & 0x3f) | 0x80
      const hex = raw.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
  }
}
