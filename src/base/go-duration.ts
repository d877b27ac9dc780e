const unitsMs = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3], // micro sign
  ['μs', 1e-3], // the Greek letter
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

const whole = /^([+-]?)(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g

/**
 * Milliseconds of a duration as Go writes it, which is how flags, configuration files and `@every` have them: '1h30m', '1.5s', '-2m', '0'. Undefined when
 * the text is none.
 */
export function goDurationMs(text: string): number | undefined {
  const [, sign] = whole.exec(text) ?? []
  if (sign === undefined) return undefined
  let ms = 0
  for (const [, count, unit = ''] of text.matchAll(part)) ms += Number(count) * (unitsMs.get(unit) ?? 0)
  return sign === '-' ? -ms : ms
}
