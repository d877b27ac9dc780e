/** What came of a check. */
export interface CheckResult {
  readonly name: string
  /** Why it failed; undefined when it did not. */
  readonly fault: string | undefined
}

/** What is answered. */
export interface HealthReport {
  readonly code: 200 | 500
  readonly text: string
}

/** What the query asks for. */
export interface ReportOptions {
  readonly excluded: readonly string[]
  readonly verbose: boolean
}

/** The answer of /healthz, /livez or /readyz (`root`). Why a check fails is withheld: everybody may ask. */
export function healthReport(
  root: string,
  checks: readonly CheckResult[],
  { excluded, verbose }: ReportOptions,
): HealthReport {
  let failed = false
  let text = ''
  for (const { name, fault } of checks) {
    if (excluded.includes(name)) text += `[+]${name} excluded: ok\n`
    else if (fault !== undefined) {
      failed = true
      text += `[-]${name} failed: reason withheld\n`
    } else text += `[+]${name} ok\n`
  }
  const unknown = [...new Set(excluded)].filter((name) => checks.every((check) => check.name !== name))
  if (unknown.length > 0)
    text += `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}\n`
  if (failed) return { code: 500, text: `${text}${root} check failed\n` }
  return { code: 200, text: verbose ? `${text}${root} check passed\n` : 'ok' }
}

/** The answer of one check's own path: who may see it may know why. */
export const checkReport = (fault: string | undefined): HealthReport =>
  fault === undefined ? { code: 200, text: 'ok' } : { code: 500, text: `internal server error: ${fault}` }
