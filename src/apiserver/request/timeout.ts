import { badRequest } from '../../api/errors/api-error.ts'

const units: ReadonlySet<string> = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h'])

/** Throws 400 for a `timeout` in the query that is no duration in Go's notation. Watches and sessions, which last, are not asked. */
export function checkTimeout(text: string | undefined): void {
  if (text === undefined || text === '') return
  const problem = durationProblem(text)
  if (problem !== undefined) throw badRequest(`invalid timeout specified in the request URL - time: ${problem}`)
}

function durationProblem(text: string): string | undefined {
  const invalid = `invalid duration ${JSON.stringify(text)}`
  let rest = text.replace(/^[-+]/, '')
  if (rest === '0') return undefined
  if (rest === '') return invalid
  while (rest !== '') {
    const [part, number = '', unit = ''] = /^([0-9]*\.?[0-9]*)([^0-9.]*)/.exec(rest)!
    if (number === '' || number === '.') return invalid
    if (unit === '') return `missing unit in duration ${JSON.stringify(text)}`
    if (!units.has(unit)) return `unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
    rest = rest.slice(part.length)
  }
  return undefined
}
