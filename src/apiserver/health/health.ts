import type { Store } from '../../store/store.ts'
import { textAnswer, type Answer } from '../answer/answer.ts'
import type { PathRoute } from '../non-resource.ts'
import type { ApiRequest } from '../request/api-request.ts'
import checks from '../generated/health-checks.json' with { type: 'json' }
import { HealthSlis } from './slis.ts'

/** What health depends on. */
export interface HealthState {
  readonly store: Store
  /** Names of checks that have not passed yet, with the reason. */
  readonly failing: ReadonlyMap<string, string>
}

/** /healthz, /livez and /readyz, each check of theirs by its name, and what came of them as metrics. */
export function healthRoutes(state: HealthState): PathRoute[] {
  const slis = new HealthSlis()
  const routes: PathRoute[] = [{ path: '/metrics/slis', handler: () => textAnswer(200, slis.text(), 'text/plain; version=0.0.4; charset=utf-8') }]
  for (const [root, names] of Object.entries(checks)) {
    const observe = (name: string) => slis.observe(root, name, !state.failing.has(name))
    names.forEach(observe)
    const every: PathRoute['handler'] = (request) => {
      names.forEach(observe)
      return all(root, names, state, request)
    }
    routes.push({ path: `/${root}`, methods: 'any', handler: every })
    for (const name of names) {
      const handler = () => {
        observe(name)
        return one(name, state)
      }
      routes.push({ path: `/${root}/${name}`, methods: 'any', handler })
    }
  }
  return routes
}

function one(name: string, { failing }: HealthState): Answer {
  const why = failing.get(name)
  return why === undefined ? textAnswer(200, 'ok') : textAnswer(500, `internal server error: ${why}`)
}

function all(root: string, names: readonly string[], { failing }: HealthState, { query }: ApiRequest): Answer {
  const excluded = new Set(query.all('exclude'))
  let failed = false
  let text = ''
  for (const name of names) {
    if (excluded.has(name)) text += `[+]${name} excluded: ok\n`
    else if (failing.has(name)) {
      failed = true
      text += `[-]${name} failed: reason withheld\n`
    } else text += `[+]${name} ok\n`
  }
  const unknown = [...excluded].filter((name) => !names.includes(name))
  if (unknown.length > 0) text += `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}\n`
  if (failed) return textAnswer(500, `${text}${root} check failed\n`)
  return query.has('verbose') ? textAnswer(200, `${text}${root} check passed\n`) : textAnswer(200, 'ok')
}
