import { nodes } from '../generated/resources.ts'
import type { ConfigMapNodeConfigSource, Node, NodeConfigSource, NodeSpec, Taint } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLegacyCidr, cidrWarnings, parseCidr } from '../validation/ips.ts'
import { isConfigMapKey, isLabel, isSubdomain } from '../validation/names.ts'
import { roundAmounts } from '../validation/quantities.ts'
import { checkTaints } from './pod-spec/tolerations.ts'
import { checkAmount } from './resource-names.ts'
import { nodeRow } from './node-row.ts'

/** What a Node does. Kubelets make their own, status and all. */
export const nodeDefinition = defineKind(nodes, {
  row: nodeRow,
  status: true,
  keepsStatusOnCreate: true,
  generation: false,
  metadata: { onUpdate: 'both' },
  fields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  defaults(node) {
    alignCidrs(ensure(node, 'spec'))
    const status = ensure(node, 'status')
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
    roundAmounts(status.capacity)
    roundAmounts(status.allocatable)
  },
  prepareCreate(node) {
    delete node.spec?.configSource
    delete node.status?.config
    delete node.status?.declaredFeatures
  },
  prepareUpdate(node, old, { subresource }) {
    if (subresource === 'status') {
      if (!old.status?.config) delete node.status?.config
      if (!old.status?.declaredFeatures) delete node.status?.declaredFeatures
    } else if (!old.spec?.configSource) delete node.spec?.configSource
  },
  validate: checkNode,
  validateUpdate(node, old, errors, { subresource }) {
    if (!subresource) checkNode(node, errors)
    checkChange(node, old, errors)
  },
  warnings({ spec }, _old, subresource) {
    if (subresource === 'status') return []
    return [
      ...(spec?.configSource ? ['spec.configSource: the feature is removed'] : []),
      ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
      ...(spec?.podCIDRs ?? []).flatMap((cidr, i) => cidrWarnings(cidr, field('spec', 'podCIDRs').index(i))),
    ]
  },
})

/** One range and the list of them say the same; the single one leads. */
function alignCidrs(spec: NodeSpec): void {
  const { podCIDR, podCIDRs } = spec
  if (podCIDR && podCIDRs?.[0] !== podCIDR) spec.podCIDRs = [podCIDR]
  else if (!podCIDR && podCIDRs?.[0]) spec.podCIDR = podCIDRs[0]
}

function checkNode(node: Frozen<Node>, errors: FieldErrors): void {
  const { metadata, spec, status } = node
  checkAnnotations(metadata.annotations, errors)
  // Taints are told of below the metadata, where upstream thinks it is.
  checkTaints(spec?.taints, field('metadata', 'taints'), errors)
  checkResources(node, errors)
  const swap = status?.nodeInfo?.swap?.capacity
  if (swap !== undefined && swap <= 0)
    errors.invalid(field('metadata', 'nodeSwapStatus', 'capacity'), swap, 'must be greater than zero')
  checkFeatures(status?.declaredFeatures, field('status', 'declaredFeatures'), errors)
  const cidrs = spec?.podCIDRs ?? []
  const at = field('spec', 'podCIDRs')
  cidrs.forEach((cidr, i) => checkLegacyCidr(cidr, at.index(i), errors))
  if (cidrs.length < 2) return
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.ip.bytes.length))
  if (families.has(undefined))
    errors.internal(at, 'invalid PodCIDRs. failed to check with dual stack with error:invalid CIDRs')
  if (families.size !== 2 || cidrs.length > 2 || families.has(undefined))
    errors.invalid(at, cidrs, 'may specify no more than one CIDR for each IP family')
}

const taintsAnnotation = 'scheduler.alpha.kubernetes.io/taints'
const avoidAnnotation = 'scheduler.alpha.kubernetes.io/preferAvoidPods'

function checkAnnotations(annotations: Readonly<Record<string, string>> | undefined, errors: FieldErrors): void {
  const at = field('metadata', 'annotations')
  const taints = annotations?.[taintsAnnotation]
  if (taints) {
    const parsed = parseJson(taints)
    if (!Array.isArray(parsed)) errors.invalid(at, taintsAnnotation, 'invalid JSON')
    else checkTaints(parsed as Frozen<Taint[]>, at.child(taintsAnnotation), errors)
  }
  const avoid = annotations?.[avoidAnnotation]
  if (!avoid) return
  const parsed = parseJson(avoid)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return errors.invalid(at.child('AvoidPods'), avoidAnnotation, 'invalid JSON')
  const { preferAvoidPods = [] } = parsed as {
    preferAvoidPods?: readonly { podSignature?: { podController?: { controller?: boolean } } }[]
  }
  preferAvoidPods.forEach(({ podSignature }, i) => {
    const path = at.child(avoidAnnotation).index(i).child('PodSignature')
    if (!podSignature?.podController) errors.required(path)
    else if (!podSignature.podController.controller)
      errors.invalid(path.child('PodController', 'Controller'), false, 'must point to a controller')
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function checkResources({ status }: Frozen<Node>, errors: FieldErrors): void {
  for (const part of ['capacity', 'allocatable'] as const)
    for (const [name, amount] of Object.entries(status?.[part] ?? {}))
      checkAmount(name, amount, field('status', part, name), errors)
}

function checkFeatures(features: readonly string[] | undefined, at: FieldPath, errors: FieldErrors): void {
  features?.forEach((feature, i) => {
    if (feature.length > 253 || !/^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/.test(feature))
      errors.invalid(at.index(i), feature, `invalid feature name ${JSON.stringify(feature)}`)
    const next = features[i + 1]
    if (feature === next) errors.duplicate(at.index(i + 1), next)
    else if (next !== undefined && feature > next)
      errors.invalid(at.index(i + 1), next, 'list must be sorted alphabetically')
  })
}

function checkChange(node: Frozen<Node>, old: Frozen<Node>, errors: FieldErrors): void {
  const { metadata, spec, status } = node
  checkAnnotations(metadata.annotations, errors)
  checkResources(node, errors)
  checkFeatures(status?.declaredFeatures, field('status', 'declaredFeatures'), errors)
  status?.addresses?.forEach((address, i, all) => {
    if (all.slice(0, i).some((other) => equal(other, address)))
      errors.duplicate(field('status', 'addresses').index(i), address)
  })
  const before = old.spec?.podCIDRs ?? []
  const now = spec?.podCIDRs ?? []
  const fixed = 'node updates may not change podCIDR except from "" to valid'
  if (before.length && before.length !== now.length) errors.forbidden(field('spec', 'podCIDRs'), fixed)
  else before.forEach((cidr, i) => cidr !== now[i] && errors.forbidden(field('spec', 'podCIDRs'), fixed))
  if (old.spec?.providerID && old.spec.providerID !== spec?.providerID)
    errors.forbidden(field('spec', 'providerID'), 'node updates may not change providerID except from "" to valid')
  if (spec?.configSource) checkConfigSource(spec.configSource, false, field('spec', 'configSource'), errors)
  for (const name of ['assigned', 'active', 'lastKnownGood'] as const) {
    const source = status?.config?.[name]
    if (source) checkConfigSource(source, true, field('status', 'config', name), errors)
  }
  checkTaints(spec?.taints, field('metadata', 'taints'), errors)
  if ((spec?.externalID ?? '') !== (old.spec?.externalID ?? ''))
    errors.forbidden(field('spec', 'externalID'), 'may not be updated')
}

/** A configuration of the kubelet, of a feature that is no more. */
function checkConfigSource(
  source: Frozen<NodeConfigSource>,
  reported: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!source.configMap) return errors.invalid(at, source, 'exactly one reference subfield must be non-nil')
  const path = at.child('configMap')
  for (const name of ['uid', 'resourceVersion'] as const) {
    const value = source.configMap[name]
    if (reported && !value) errors.required(path.child(name))
    if (!reported && value) errors.forbidden(path.child(name), `${name} must not be set in spec`)
  }
  checkConfigMap(source.configMap, path, errors)
}

function checkConfigMap(
  { namespace, name, kubeletConfigKey: key }: Frozen<ConfigMapNodeConfigSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const rules = [
    ['namespace', namespace, isLabel],
    ['name', name, isSubdomain],
    ['kubeletConfigKey', key, isConfigMapKey],
  ] as const
  for (const [part, value, rule] of rules) {
    if (!value) errors.required(at.child(part))
    else for (const text of rule(value)) errors.invalid(at.child(part), value, text)
  }
}
