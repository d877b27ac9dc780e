import type { KindTable } from '../api/table.ts'
import type { Metrics } from '../base/metrics.ts'
import type { Aggregator } from './aggregation/aggregator.ts'
import { textAnswer, type Answer } from './answer/answer.ts'
import type { TokenKey } from './authn/jwt.ts'
import { declaredSchema } from './crd/declared-schema.ts'
import { addOpenApi } from './discovery/openapi.ts'
import { addOpenId } from './discovery/openid.ts'
import { addDiscovery } from './discovery/routes.ts'
import rootPaths from './generated/root-paths.json' with { type: 'json' }
import { healthRoutes, type Failing } from './health/health.ts'
import { versionInfo } from './health/version.ts'
import { NonResource } from './non-resource.ts'
import type { ServiceAccountOptions } from './options.ts'

/** What is told of on paths that are no resources. */
export interface Told {
  readonly kinds: KindTable
  readonly metrics: Metrics
  readonly failing: Failing
  readonly serviceAccounts: ServiceAccountOptions | undefined
  readonly keys: readonly TokenKey[]
  /** Where clients find this server: host and port; '' before it listens. */
  readonly address: () => string
  /** Absent until it has started. */
  readonly aggregator: () => Aggregator | undefined
}

/** Everything that is no resource: discovery, OpenAPI, OpenID, health, version, metrics. */
export function nonResourcePaths(told: Told): NonResource {
  const { kinds, metrics, failing, serviceAccounts, keys, address, aggregator } = told
  const paths = new NonResource()
  addDiscovery(paths, kinds, address, {
    list: () => aggregator()?.groups() ?? [],
    aggregated: () => aggregator()?.discovery() ?? [],
    revision: () => aggregator()?.revision() ?? 0,
  })
  addOpenApi(
    paths,
    async () =>
      new (await import('../api/openapi/documents.ts')).OpenApiDocuments({
        table: kinds,
        version: versionInfo('').gitVersion,
        customSchema: declaredSchema,
      }),
    { openApiNames: () => aggregator()?.openApiNames() ?? [], openApi: async (name) => aggregator()?.openApi(name) },
  )
  if (serviceAccounts) addOpenId(paths, serviceAccounts, keys, address)
  for (const route of healthRoutes(failing)) paths.add(route)
  paths.add({ path: '/version', handler: () => readable(versionInfo('')) })
  paths.add({ path: '/', handler: () => readable({ paths: rootPaths }) })
  const text = () => textAnswer(200, metrics.text(), 'text/plain; version=0.0.4; charset=utf-8')
  paths.add({ path: '/metrics', methods: 'any', handler: text })
  return paths
}

/** JSON that is indented for whoever asks, as people look at it by hand. */
const readable = (value: object): Answer => textAnswer(200, JSON.stringify(value, undefined, 2), 'application/json')
