import { endpoints } from '../generated/resources.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../generated/types/core-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLegacyIp, ipWarnings } from '../validation/ips.ts'
import { isLabel, isPortNumber, isQualifiedName, isSubdomain } from '../validation/names.ts'
import { checkEndpointIp } from './endpoint-addresses.ts'
import { portProtocols } from './pod-spec/containers.ts'
import { endpointsRow } from './endpoints-row.ts'

/** What Endpoints do: the forerunner of EndpointSlices. */
export const endpointsDefinition = defineKind(endpoints, {
  row: endpointsRow,
  generation: false,
  createOnUpdate: true,
  metadata: { onUpdate: 'both' },
  defaults(object) {
    for (const { ports } of object.subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP'
  },
  validate: ({ subsets }, errors) => checkSubsets(subsets, errors),
  validateUpdate({ subsets }, old, errors) {
    const before = errors.list.length
    checkSubsets(subsets, errors)
    // Older releases took more: what has not changed stays valid.
    if (errors.list.length > before && equal(subsets, old.subsets)) errors.list.length = before
  },
  warnings({ metadata, subsets = [] }) {
    // The controller that makes them corrects what it is given.
    if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
    return subsets.flatMap((subset, i) =>
      (['addresses', 'notReadyAddresses'] as const).flatMap((name) =>
        (subset[name] ?? []).flatMap(({ ip = '' }, j) =>
          ipWarnings(ip, field('subsets').index(i).child(name).index(j).child('ip')),
        ),
      ),
    )
  },
})

function checkSubsets(subsets: Frozen<EndpointSubset[]> | undefined, errors: FieldErrors): void {
  subsets?.forEach(({ addresses, notReadyAddresses, ports }, i) => {
    const at = field('subsets').index(i)
    if (!addresses?.length && !notReadyAddresses?.length)
      errors.required(at, 'must specify `addresses` or `notReadyAddresses`')
    addresses?.forEach((address, j) => checkAddress(address, at.child('addresses').index(j), errors))
    notReadyAddresses?.forEach((address, j) => checkAddress(address, at.child('notReadyAddresses').index(j), errors))
    ports?.forEach((port, j) => checkPort(port, ports.length > 1, at.child('ports').index(j), errors))
  })
}

function checkAddress(
  { ip = '', hostname, nodeName }: Frozen<EndpointAddress>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkLegacyIp(ip, at.child('ip'), errors)
  if (hostname) for (const text of isLabel(hostname)) errors.invalid(at.child('hostname'), hostname, text)
  if (nodeName !== undefined)
    for (const text of isSubdomain(nodeName)) errors.invalid(at.child('nodeName'), nodeName, text)
  checkEndpointIp(ip, at.child('ip'), errors)
}

function checkPort(
  { name, port = 0, protocol, appProtocol }: Frozen<EndpointPort>,
  nameRequired: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (nameRequired && !name) errors.required(at.child('name'))
  else if (name) for (const text of isLabel(name)) errors.invalid(at.child('name'), name, text)
  for (const text of isPortNumber(port)) errors.invalid(at.child('port'), port, text)
  if (!protocol) errors.required(at.child('protocol'))
  else if (!portProtocols.includes(protocol)) errors.notSupported(at.child('protocol'), protocol, portProtocols)
  if (appProtocol !== undefined)
    for (const text of isQualifiedName(appProtocol)) errors.invalid(at.child('appProtocol'), appProtocol, text)
}
