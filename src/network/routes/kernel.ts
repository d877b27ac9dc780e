import { CommandError } from '../../base/command.ts'
import type { RunCommand } from '../../base/command.ts'
import type { Route } from './desired.ts'

/** Unreachable routes stand behind all others. */
const unreachableMetric = 4096

/** The kernel's routes that carry our protocol number. */
export async function readRoutes(run: RunCommand, protocol: number): Promise<Route[]> {
  const families = await Promise.all(
    ['-4', '-6'].map((family) =>
      run({ file: 'ip', args: ['-j', family, 'route', 'show', 'table', 'all', 'proto', String(protocol)] }),
    ),
  )
  return families.flatMap(({ stdout }) => (JSON.parse(stdout.trim() || '[]') as ListedRoute[]).map(routeOf))
}

/** The parts of `ip -j route` that are read. */
interface ListedRoute {
  readonly dst: string
  readonly type?: string
  readonly gateway?: string
  readonly prefsrc?: string
}

function routeOf({ dst, type, gateway, prefsrc }: ListedRoute): Route {
  const kind = type === 'unreachable' || type === 'local' ? type : 'unicast'
  const destination = dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`
  return {
    kind,
    destination,
    ...(gateway !== undefined && { gateway }),
    ...(prefsrc !== undefined && { source: prefsrc }),
  }
}

const idOf = ({ kind, destination }: Route) => `${kind} ${destination}`

/** What leads from the routes that are there to those that should be: lines of `ip -batch`. Pure. */
export function routeChanges(found: readonly Route[], wanted: readonly Route[], protocol: number): string[] {
  const wantedIds = new Map(wanted.map((route) => [idOf(route), route]))
  const there = new Map(found.map((route) => [idOf(route), route]))
  const gone = found.filter((route) => !wantedIds.has(idOf(route)))
  const changed = wanted.filter((route) => {
    const known = there.get(idOf(route))
    return known?.gateway !== route.gateway || known?.source !== route.source || known === undefined
  })
  return [
    ...gone.map((route) => `route delete ${selectorOf(route)} proto ${protocol}`),
    ...changed.map((route) => `route replace ${textOf(route)} proto ${protocol}`),
  ]
}

function selectorOf({ kind, destination }: Route): string {
  if (kind === 'local') return `local ${destination} dev lo table local`
  return kind === 'unreachable' ? `unreachable ${destination} metric ${unreachableMetric}` : destination
}

function textOf(route: Route): string {
  const source = route.source === undefined ? '' : ` src ${route.source}`
  return route.kind === 'unicast'
    ? `${route.destination} via ${route.gateway}${source}`
    : `${selectorOf(route)}${source}`
}

/** Carries the lines out; those that fail do not keep the others back. Gives what `ip` said of them. */
export async function runBatch(run: RunCommand, lines: readonly string[]): Promise<string | undefined> {
  if (lines.length === 0) return undefined
  // Each family is a batch of its own: ip decides it once.
  const failures: string[] = []
  for (const [family, part] of [
    ['-4', lines.filter((line) => !line.includes(':'))],
    ['-6', lines.filter((line) => line.includes(':'))],
  ] as const) {
    if (part.length === 0) continue
    try {
      await run({ file: 'ip', args: [family, '-force', '-batch', '-'], input: `${part.join('\n')}\n` })
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === undefined) throw error
      failures.push(error.stderr.trim())
    }
  }
  return failures.length > 0 ? failures.join('; ') : undefined
}
