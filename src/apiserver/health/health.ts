import { textAnswer, type Answer } from '../answer/answer.ts'
import type { PathRoute } from '../non-resource.ts'
import type { ApiRequest } from '../request/api-request.ts'
import checks from '../generated/health-checks.json' with { type: 'json' }
import { checkReport, healthReport } from '../../serving/health-report.ts'
import { HealthSlis } from '../../serving/health-slis.ts'

/** Names of checks that do not pass, with the reason. */
export type Failing = ReadonlyMap<string, string>

/** /healthz, /livez and /readyz, each check of theirs by its name, and what came of them as metrics. */
export function healthRoutes(failing: Failing): PathRoute[] {
  const slis = new HealthSlis()
  const routes: PathRoute[] = [
    { path: '/metrics/slis', handler: () => textAnswer(200, slis.text(), 'text/plain; version=0.0.4; charset=utf-8') },
  ]
  for (const [root, names] of Object.entries(checks)) {
    const observe = (name: string) => slis.observe(root, name, !failing.has(name))
    names.forEach(observe)
    const every: PathRoute['handler'] = (request) => {
      names.forEach(observe)
      return all(root, names, failing, request)
    }
    routes.push({ path: `/${root}`, methods: 'any', handler: every })
    for (const name of names) {
      const handler = () => {
        observe(name)
        return one(name, failing)
      }
      routes.push({ path: `/${root}/${name}`, methods: 'any', handler })
    }
  }
  return routes
}

function one(name: string, failing: Failing): Answer {
  const { code, text } = checkReport(failing.get(name))
  return textAnswer(code, text)
}

function all(root: string, names: readonly string[], failing: Failing, { query }: ApiRequest): Answer {
  const checks = names.map((name) => ({ name, fault: failing.get(name) }))
  const { code, text } = healthReport(root, checks, { excluded: query.all('exclude'), verbose: query.has('verbose') })
  return textAnswer(code, text)
}
