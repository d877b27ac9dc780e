import { endpointSlices, services } from '../../api/generated/resources.ts'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Lookup } from '../registry/registry.ts'

/** What an APIService's condition says. */
export interface Availability {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** Whether the Service behind an APIService is there at all; undefined when it is, and has to be asked. */
export function missingService(lookup: Lookup, { spec }: Frozen<APIService>): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {}
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const no = (reason: string, message: string): Availability => ({ status: 'False', reason, message })
  const service = lookup.get(services, { namespace, name })
  if (!service) return no('ServiceNotFound', `${where} is not present`)
  if (service.spec?.type !== undefined && service.spec.type !== 'ClusterIP') return undefined
  const found = service.spec?.ports?.find((each) => each.port === port)
  if (!found) return no('ServicePortError', `${where} is not listening on port ${port}`)
  const slices = lookup
    .list(endpointSlices, namespace)
    .filter(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === name)
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const portName = found.name ?? ''
  const active = slices.some(
    ({ endpoints, ports }) =>
      endpoints?.some(({ conditions }) => conditions?.ready !== false) &&
      ports?.some((each) => (each.name ?? '') === portName && each.port !== undefined),
  )
  return active
    ? undefined
    : no('MissingEndpoints', `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`)
}

/** It answers. */
export const passed: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' }

/** It does not. */
export const failedCheck = (url: string, why: string): Availability => ({
  status: 'False',
  reason: 'FailedDiscoveryCheck',
  message: `failing or missing response from ${url}: ${why}`,
})
