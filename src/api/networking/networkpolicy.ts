import { networkPolicies } from '../generated/resources.ts'
import { ensure } from '../draft.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/types/networking-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkLegacyCidr, cidrContains, cidrWarnings, parseCidr } from '../validation/ips.ts'
import { checkLabelSelector, hasInvalidValues, type SelectorOptions } from '../validation/labels.ts'
import { isPortName, isPortNumber } from '../validation/names.ts'
import { networkPolicyRow } from './networkpolicy-row.ts'

const protocols = ['TCP', 'UDP', 'SCTP']
const policyTypes = ['Ingress', 'Egress']

/** What an existing policy may keep. */
interface Tolerated extends SelectorOptions {
  readonly cidrs?: ReadonlySet<string>
}

/** What a NetworkPolicy does. */
export const networkPolicyDefinition = defineKind(networkPolicies, {
  row: networkPolicyRow,
  metadata: { onUpdate: 'both' },
  defaults(policy) {
    const spec = ensure(policy, 'spec')
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate: (policy, errors) => checkPolicy(policy, errors, {}),
  validateUpdate(policy, old, errors) {
    const anyValue = hasInvalidValues(old.spec?.podSelector)
    checkPolicy(policy, errors, { anyValue })
    const cidrs = new Set(blocksOf(old).flatMap(({ block }) => [block.cidr, ...(block.except ?? [])]))
    checkPolicy(policy, errors, { anyValue, cidrs })
  },
  warnings: (policy) =>
    blocksOf(policy).flatMap(({ block, at }) => [
      ...cidrWarnings(block.cidr, at.child('cidr')),
      ...(block.except ?? []).flatMap((except, i) => cidrWarnings(except, at.child('except').index(i))),
    ]),
})

/** Every address block of a policy and where it is. */
function blocksOf({ spec }: Frozen<NetworkPolicy>): { block: Frozen<IPBlock>; at: FieldPath }[] {
  const peersOf = (
    direction: 'ingress' | 'egress',
    side: 'from' | 'to',
    rules: readonly { readonly peers: readonly Frozen<NetworkPolicyPeer>[] | undefined }[],
  ) =>
    rules.flatMap(({ peers }, i) =>
      (peers ?? []).flatMap(({ ipBlock: block }, j) =>
        block ? [{ block, at: field('spec', direction).index(i).child(side).index(j).child('ipBlock') }] : [],
      ),
    )
  return [
    ...peersOf(
      'ingress',
      'from',
      (spec?.ingress ?? []).map(({ from: peers }) => ({ peers })),
    ),
    ...peersOf(
      'egress',
      'to',
      (spec?.egress ?? []).map(({ to: peers }) => ({ peers })),
    ),
  ]
}

function checkPolicy({ spec }: Frozen<NetworkPolicy>, errors: FieldErrors, tolerated: Tolerated): void {
  const at = field('spec')
  checkLabelSelector(spec?.podSelector, at.child('podSelector'), errors, tolerated)
  spec?.ingress?.forEach(({ ports, from }, i) => {
    const rule = at.child('ingress').index(i)
    checkPorts(ports, rule.child('ports'), errors)
    from?.forEach((peer, j) => checkPeer(peer, rule.child('from').index(j), errors, tolerated))
  })
  spec?.egress?.forEach(({ ports, to }, i) => {
    const rule = at.child('egress').index(i)
    checkPorts(ports, rule.child('ports'), errors)
    to?.forEach((peer, j) => checkPeer(peer, rule.child('to').index(j), errors, tolerated))
  })
  const types = spec?.policyTypes ?? []
  if (types.length > 2)
    return errors.invalid(at.child('policyTypes'), types, 'may not specify more than two policyTypes')
  types.forEach((type, i) => {
    if (!policyTypes.includes(type)) errors.notSupported(at.child('policyTypes').index(i), type, policyTypes)
  })
}

function checkPorts(ports: readonly Frozen<NetworkPolicyPort>[] | undefined, at: FieldPath, errors: FieldErrors): void {
  ports?.forEach((port, i) => checkPort(port, at.index(i), errors))
}

function checkPort({ protocol, port, endPort }: Frozen<NetworkPolicyPort>, at: FieldPath, errors: FieldErrors): void {
  if (protocol !== undefined && !protocols.includes(protocol))
    errors.notSupported(at.child('protocol'), protocol, protocols)
  const end = at.child('endPort')
  if (port === undefined || port === null) {
    if (endPort !== undefined) errors.invalid(end, endPort, 'may not be specified when `port` is not specified')
  } else if (typeof port === 'string') {
    if (endPort !== undefined) errors.invalid(end, endPort, 'may not be specified when `port` is non-numeric')
    checkText(isPortName, port, at.child('port'), errors)
  } else {
    for (const problem of isPortNumber(port)) errors.invalid(at.child('port'), port, problem)
    if (endPort === undefined) return
    if (endPort < port) errors.invalid(end, port, 'must be greater than or equal to `port`')
    for (const problem of isPortNumber(endPort)) errors.invalid(end, endPort, problem)
  }
}

function checkPeer(
  { podSelector, namespaceSelector, ipBlock }: Frozen<NetworkPolicyPeer>,
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  if (podSelector) checkLabelSelector(podSelector, at.child('podSelector'), errors, tolerated)
  if (namespaceSelector) checkLabelSelector(namespaceSelector, at.child('namespaceSelector'), errors, tolerated)
  if (ipBlock) checkBlock(ipBlock, at.child('ipBlock'), errors, tolerated)
  if (!podSelector && !namespaceSelector && !ipBlock) errors.required(at, 'must specify a peer')
  else if (ipBlock && (podSelector || namespaceSelector))
    errors.forbidden(at, 'may not specify both ipBlock and another peer')
}

function checkBlock({ cidr, except }: Frozen<IPBlock>, at: FieldPath, errors: FieldErrors, { cidrs }: Tolerated): void {
  if (!cidr) return errors.required(at.child('cidr'))
  if (!cidrs?.has(cidr)) checkLegacyCidr(cidr, at.child('cidr'), errors)
  const whole = parseCidr(cidr)
  if (!whole) return
  except?.forEach((text, i) => {
    const path = at.child('except').index(i)
    if (!cidrs?.has(text)) checkLegacyCidr(text, path, errors)
    const part = parseCidr(text)
    if (part && (!cidrContains(whole, part.ip) || whole.bits >= part.bits))
      errors.invalid(path, text, 'must be a strict subset of `cidr`')
  })
}
