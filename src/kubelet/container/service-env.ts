import { isIPv6 } from 'node:net'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** The services that every pod hears of, links or not: how it reaches the API server. */
const masterService = { namespace: 'default', name: 'kubernetes' }

/** Environment variables that name services: those of the pod's namespace when it wants links, and the API server's always. */
export function serviceEnv(
  services: readonly Frozen<Service>[],
  namespace: string,
  links: boolean,
): Record<string, string> {
  const chosen = new Map<string, Frozen<Service>>()
  for (const service of services) {
    const { name = '', namespace: home } = service.metadata
    const address = service.spec?.clusterIP
    if (!address || address === 'None') continue
    if (links && home === namespace) chosen.set(name, service)
    else if (home === masterService.namespace && name === masterService.name && !chosen.has(name))
      chosen.set(name, service)
  }
  const env: Record<string, string> = {}
  for (const service of chosen.values()) addService(env, service)
  return env
}

const variable = (name: string) => name.replaceAll('-', '_').toUpperCase()

function addService(env: Record<string, string>, service: Frozen<Service>): void {
  const prefix = variable(service.metadata.name ?? '')
  const address = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  env[`${prefix}_SERVICE_HOST`] = address
  if (ports[0]) env[`${prefix}_SERVICE_PORT`] = String(ports[0].port)
  for (const { name, port } of ports) if (name) env[`${prefix}_SERVICE_PORT_${variable(name)}`] = String(port)
  for (const [i, { port, protocol = 'TCP' }] of ports.entries()) {
    const url = `${protocol.toLowerCase()}://${isIPv6(address) ? `[${address}]` : address}:${port}`
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
    if (i === 0) env[`${prefix}_PORT`] = url
    env[link] = url
    env[`${link}_PROTO`] = protocol.toLowerCase()
    env[`${link}_PORT`] = String(port)
    env[`${link}_ADDR`] = address
  }
}
