import { endpointSlices, services } from '../../api/generated/resources.ts'
import type { Random } from '../../base/random.ts'
import type { Lookup } from '../registry/registry.ts'

/** A Service's port. */
export interface ServiceTarget {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** Where a connection goes. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** There is no such address: the text says why, as upstream words it. */
export class NoAddressError extends Error {
  override name = 'NoAddressError'
}

/** A ready endpoint behind a port of a Service, at random. Throws a NoAddressError. */
export function serviceAddress(lookup: Lookup, random: Random, { namespace, name, port }: ServiceTarget): Address {
  const service = lookup.get(services, { namespace, name })
  if (!service) throw new NoAddressError(`service ${JSON.stringify(name)} not found`)
  if (service.spec?.type === 'ExternalName') return { host: service.spec.externalName ?? '', port }
  const found = service.spec?.ports?.find((each) => each.port === port)
  if (!found) throw new NoAddressError(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const choices = lookup
    .list(endpointSlices, namespace)
    .filter(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints = [], ports = [] }) => {
      const target = ports?.find((each) => (each.name ?? '') === (found.name ?? ''))?.port
      if (target === undefined) return []
      return (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => (addresses[0] ? [{ host: addresses[0], port: target }] : []))
    })
  const chosen = choices[Math.floor(random.number() * choices.length)]
  if (!chosen) throw new NoAddressError(`no endpoints available for service ${JSON.stringify(name)}`)
  return chosen
}
