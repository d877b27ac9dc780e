import { exitCodes, Problem } from '../cluster/problem.ts'

const signals = [
  ['SIGINT', exitCodes.interrupted],
  ['SIGTERM', exitCodes.terminated],
] as const

/** Does work that a signal may cut short: it then fails at once, as a problem that says what to do about what was begun. */
export async function interruptible<T>(fix: string, work: () => Promise<T>): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>()
  const listening = signals.map(([signal, exitCode]) => {
    const listener = () => reject(new Problem('KN-CLUSTER-06', `interrupted by ${signal}`, fix, { exitCode }))
    process.once(signal, listener)
    return () => process.off(signal, listener)
  })
  try {
    return await Promise.race([work(), interrupted])
  } finally {
    for (const stop of listening) stop()
  }
}
