import type { Clock } from '../../base/clock.ts'

/** Says how long a failed item waits before its next attempt. */
export interface RateLimiter {
  /** Counts a failure of `key` and gives the wait. */
  when(key: string): number
  /** The key succeeded, or is given up. */
  forget(key: string): void
  retries(key: string): number
}

/** How fast a controller retries. */
export interface RateLimits {
  /** First wait of a key. Upstream: 5 ms. */
  readonly baseMs: number
  /** Longest wait of a key. Upstream: 1000 s. */
  readonly maxMs: number
  /** All keys together: so many a second … Upstream: 10. */
  readonly perSecond: number
  /** … after so many at once. Upstream: 100. */
  readonly burst: number
}

/** What upstream's controllers use. */
export const defaultRateLimits: RateLimits = { baseMs: 5, maxMs: 1_000_000, perSecond: 10, burst: 100 }

/** The longer of a wait that doubles with each failure of the key, and of what a token bucket over all keys says. */
export function rateLimiter(clock: Clock, limits: RateLimits = defaultRateLimits): RateLimiter {
  const failures = new Map<string, number>()
  const bucket = tokenBucket(clock, limits.perSecond, limits.burst)
  return {
    when(key) {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      return Math.max(Math.min(limits.baseMs * 2 ** Math.min(count, 62), limits.maxMs), bucket.reserve())
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
  }
}

/** A token bucket. */
export interface TokenBucket {
  /** Takes a token, now or in the future; gives the wait in milliseconds. */
  reserve(): number
  /** Takes a token if there is one. */
  take(): boolean
}

/** A bucket that begins full with `burst` tokens and gains `perSecond`. */
export function tokenBucket(clock: Clock, perSecond: number, burst: number): TokenBucket {
  let tokens = burst
  let lastMs = clock.now()
  const fill = () => {
    const nowMs = clock.now()
    // Nothing is taken away when the time of day is set back.
    tokens = Math.min(burst, tokens + (Math.max(0, nowMs - lastMs) / 1000) * perSecond)
    lastMs = nowMs
  }
  return {
    reserve() {
      fill()
      tokens -= 1
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000
    },
    take() {
      fill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
