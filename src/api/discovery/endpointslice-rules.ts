import { checkEndpointIp } from '../core/endpoint-addresses.ts'
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from '../generated/types/discovery-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkIp, checkLegacyIp, isIPv4Text, isIPv6Text, parseIp } from '../validation/ips.ts'
import { checkLabels } from '../validation/labels.ts'
import { isLabel, isLabelValue, isQualifiedName, isSubdomain } from '../validation/names.ts'

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const protocols = ['SCTP', 'TCP', 'UDP']
const portsMax = 20_000
const endpointsMax = 1000
const addressesMax = 100
const hintsMax = 8
const topologyMax = 16

/** The rules of a slice. Endpoints that stay as they were are not checked again. */
export function checkEndpointSlice(
  slice: Frozen<EndpointSlice>,
  old: Frozen<EndpointSlice> | undefined,
  errors: FieldErrors,
): void {
  const type = slice.addressType ?? ''
  if (!type) errors.required(field('addressType'))
  else if (!addressTypes.includes(type)) errors.notSupported(field('addressType'), type, addressTypes)
  checkPorts(slice.ports ?? [], field('ports'), errors)
  const found = new FieldErrors()
  checkEndpoints(slice, found)
  if (!found.empty && !(old && equal(old.endpoints, slice.endpoints))) errors.list.push(...found.list)
}

function checkPorts(ports: readonly Frozen<EndpointPort>[], at: FieldPath, errors: FieldErrors): void {
  if (ports.length > portsMax) return errors.tooMany(at, ports.length, portsMax)
  const names = new Set<string>()
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const path = at.index(i)
    if (name) checkText(isLabel, name, path.child('name'), errors)
    if (names.has(name)) errors.duplicate(path.child('name'), name)
    names.add(name)
    if (protocol === undefined) errors.required(path.child('protocol'))
    else if (!protocols.includes(protocol)) errors.notSupported(path.child('protocol'), protocol, protocols)
    if (appProtocol !== undefined) checkText(isQualifiedName, appProtocol, path.child('appProtocol'), errors)
  })
}

function checkEndpoints({ endpoints, addressType }: Frozen<EndpointSlice>, errors: FieldErrors): void {
  const at = field('endpoints')
  if (!endpoints) return
  if (endpoints.length > endpointsMax) return errors.tooMany(at, endpoints.length, endpointsMax)
  endpoints.forEach((endpoint, i) => checkEndpoint(endpoint, addressType, at.index(i), errors))
}

function checkEndpoint(
  { addresses, nodeName, deprecatedTopology: topology, hostname, hints }: Frozen<Endpoint>,
  type: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const path = at.child('addresses')
  if (!addresses?.length) errors.required(path, 'must contain at least 1 address')
  else if (addresses.length > addressesMax) errors.tooMany(path, addresses.length, addressesMax)
  addresses?.forEach((address, i) => checkAddress(address, type, { list: path, at: path.index(i) }, errors))
  if (nodeName !== undefined) checkText(isSubdomain, nodeName, at.child('nodeName'), errors)
  if (topology) {
    const size = Object.keys(topology).length
    if (size > topologyMax) errors.tooMany(at.child('deprecatedTopology'), size, topologyMax)
    checkLabels(topology, at.child('deprecatedTopology'), errors)
  }
  if (hostname !== undefined) checkText(isLabel, hostname, at.child('hostname'), errors)
  if (hints) checkHints(hints, at.child('hints'), errors)
}

function checkAddress(
  address: string,
  type: string,
  { list, at }: { list: FieldPath; at: FieldPath },
  errors: FieldErrors,
): void {
  if (type === 'FQDN') return checkFullName(address, at, errors)
  if (type !== 'IPv4' && type !== 'IPv6') return
  const before = errors.list.length
  if (type === 'IPv4') checkLegacyIp(address, at, errors)
  else checkIp(address, at, errors)
  if (errors.list.length > before || !parseIp(address)) return
  if (type === 'IPv4' && !isIPv4Text(address)) errors.invalid(list, address, 'must be an IPv4 address')
  if (type === 'IPv6' && !isIPv6Text(address)) errors.invalid(list, address, 'must be an IPv6 address')
  checkEndpointIp(address, at, errors)
}

function checkFullName(name: string, at: FieldPath, errors: FieldErrors): void {
  if (!name) return errors.required(at)
  const host = name.endsWith('.') ? name.slice(0, -1) : name
  const problems = isSubdomain(host)
  if (problems.length) return errors.invalid(at, host, problems.join(','))
  const labels = host.split('.')
  if (labels.length < 2)
    return errors.invalid(at, host, 'should be a domain with at least two segments separated by dots')
  for (const label of labels) {
    const wrong = isLabel(label)
    if (wrong.length) errors.invalid(at, label, wrong.join(','))
  }
}

function checkHints({ forZones, forNodes }: Frozen<EndpointHints>, at: FieldPath, errors: FieldErrors): void {
  if (!checkHintNames(forZones, isLabelValue, at.child('forZones'), errors)) return
  checkHintNames(forNodes, isSubdomain, at.child('forNodes'), errors)
}

function checkHintNames(
  hints: readonly { readonly name: string }[] | undefined,
  rule: (name: string) => readonly string[],
  at: FieldPath,
  errors: FieldErrors,
): boolean {
  if (!hints) return true
  if (hints.length > hintsMax) {
    errors.tooMany(at, hints.length, hintsMax)
    return false
  }
  const seen = new Set<string>()
  hints.forEach(({ name = '' }, i) => {
    const path = at.index(i).child('name')
    if (seen.has(name)) errors.duplicate(path, name)
    seen.add(name)
    checkText(rule, name, path, errors)
  })
  return true
}
