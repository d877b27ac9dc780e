import { needsHealthCheck } from '../../api/core/service-addresses.ts'
import { internalError } from '../../api/errors/api-error.ts'
import type { Service, ServicePort, ServiceSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { AllocationError } from './cluster-ips.ts'
import { refuse } from './ip-families.ts'
import { taken, type NodePorts } from './node-ports.ts'

/** The node ports that one write takes; a port can be taken once. Both throw an `AllocationError`. */
export interface PortClaims {
  take(port: number): void
  takeNext(): number
}

/** Ports that are claimed for good; `claims` gets them, to be given back when the write fails. */
export const claimedPorts = (ports: NodePorts, claims: number[]): PortClaims => ({
  take(port) {
    ports.claim(port)
    claims.push(port)
  },
  takeNext() {
    const port = ports.claimNext()
    claims.push(port)
    return port
  },
})

/** One below the first port that a dry run shows for one that would be given out. */
const rehearsedFrom = 32768

/** Ports of a dry run: a wished one may be anything that is free, others are what no Service can have. Nothing is claimed. */
export function rehearsedPorts(ports: Pick<NodePorts, 'has'>): PortClaims {
  const own: number[] = []
  return {
    take(port) {
      if (ports.has(port) || own.includes(port)) throw taken()
      own.push(port)
    },
    takeNext() {
      const port = 1 + (own.length === 0 ? rehearsedFrom : Math.max(0, ...own))
      own.push(port)
      return port
    },
  }
}

/** Fills in the node ports of a Service that is about to be written. */
export function allocatePorts(service: Service, old: Frozen<Service> | undefined, claims: PortClaims): void {
  const spec = service.spec!
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    if (old) changePorts(service, old, claims)
    else firstPorts(service, claims)
  }
  if (!needsHealthCheck(spec) || (old?.spec && needsHealthCheck(old.spec))) return
  try {
    if (spec.healthCheckNodePort) claims.take(spec.healthCheckNodePort)
    else spec.healthCheckNodePort = claims.takeNext()
  } catch (error) {
    throw allocationFailed(error, `failed to allocate requested HealthCheck NodePort ${spec.healthCheckNodePort ?? 0}`)
  }
}

const givesPorts = ({ type, allocateLoadBalancerNodePorts }: Frozen<ServiceSpec>): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)

/** Of a new Service, ports that differ only in their protocol share a node port. */
function firstPorts(service: Service, claims: PortClaims): void {
  const spec = service.spec!
  const byPort = new Map<number, number>()
  spec.ports?.forEach((port, i) => {
    if (!port.nodePort && !givesPorts(spec)) return
    const shared = byPort.get(port.port)
    if (shared !== undefined) {
      if (!port.nodePort) port.nodePort = shared
      else if (port.nodePort !== shared) takeWished(service, port.nodePort, i, claims)
      return
    }
    const wished = spec.ports!.find((other) => other.port === port.port && other.nodePort)?.nodePort
    if (wished) {
      takeWished(service, wished, i, claims)
      port.nodePort = wished
    } else port.nodePort = takeAny(claims)
    byPort.set(port.port, port.nodePort)
  })
}

/** A changed Service keeps the node ports that it has. */
function changePorts(service: Service, old: Frozen<Service>, claims: PortClaims): void {
  const spec = service.spec!
  const mine = new Set(old.spec?.ports?.map(({ nodePort }) => nodePort ?? 0))
  const seen = new Set<string>()
  spec.ports?.forEach((port, i) => {
    if (!port.nodePort && !givesPorts(spec)) return
    if (!port.nodePort) port.nodePort = takeAny(claims)
    else if (!mine.has(port.nodePort)) {
      takeWished(service, port.nodePort, i, claims)
      mine.add(port.nodePort)
    }
    const id = idOf(port)
    if (seen.has(id)) throw internalError(`duplicate nodePort: {${id}}`)
    seen.add(id)
  })
}

const idOf = ({ protocol, nodePort }: ServicePort): string => `${protocol} ${nodePort}`

function takeAny(claims: PortClaims): number {
  try {
    return claims.takeNext()
  } catch (error) {
    throw allocationFailed(error, 'failed to allocate a nodePort')
  }
}

function takeWished(service: Service, port: number, i: number, claims: PortClaims): void {
  try {
    claims.take(port)
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    const errors = new FieldErrors()
    errors.invalid(field('spec', 'ports').index(i).child('nodePort'), port, error.message)
    refuse(service, errors)
  }
}

/** An error that no field of the Service is to blame for. */
export const allocationFailed = (error: unknown, what: string): unknown =>
  error instanceof AllocationError ? internalError(`${what}: ${error.message}`, error) : error
