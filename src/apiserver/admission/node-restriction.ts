import {
  csiNodes,
  leases,
  nodes,
  persistentVolumeClaims,
  pods,
  serviceAccounts,
} from '../../api/generated/resources.ts'
import { notFound } from '../../api/errors/api-error.ts'
import type { TokenRequest } from '../../api/generated/types/authentication-v1.ts'
import type { Node, PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { equal } from '../../api/validation/equal.ts'
import { nodeNameOf } from '../authn/user.ts'
import { podReferences } from '../authz/pod-references.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'

const watched = [pods, nodes, persistentVolumeClaims, serviceAccounts, leases, csiNodes]

/** Nodes change only what is theirs: their own Node, the status of their own pods, their own lease. */
export function nodeRestriction(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: (_operation, kind) => watched.some((resource) => isResource(kind, resource)),
    admit(attributes) {
      const node = nodeNameOf(attributes.user)
      if (node === undefined) return
      if (node === '')
        throw refusal(attributes, `could not determine node from user ${JSON.stringify(attributes.user.name)}`)
      const { kind } = attributes
      if (isResource(kind, pods)) return checkPod(attributes, node, lookup)
      if (isResource(kind, nodes)) return checkNode(attributes, node)
      if (isResource(kind, persistentVolumeClaims)) return checkClaim(attributes, node)
      if (isResource(kind, serviceAccounts)) return checkToken(attributes, node, lookup)
      return checkOwn(attributes, node)
    },
  }
}

function checkPod(attributes: Attributes, node: string, lookup: Lookup): void {
  const { operation, subresource, namespace, name } = attributes
  const forbid = (why: string) => refusal(attributes, why)
  if (subresource === 'status') {
    if (operation !== 'UPDATE') throw forbid(`unexpected operation ${JSON.stringify(operation)}`)
    const old = attributes.old as Frozen<Pod>
    const now = attributes.object as Pod
    if (old.spec?.nodeName !== node)
      throw forbid(`node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`)
    if (!equal(old.metadata?.labels ?? {}, now.metadata?.labels ?? {}))
      throw forbid(`node ${JSON.stringify(node)} cannot update labels through pod status`)
    if (!equal(old.status?.resourceClaimStatuses, now.status?.resourceClaimStatuses))
      throw forbid(`node ${JSON.stringify(node)} cannot update resource claim statues`)
    return
  }
  if (subresource === 'eviction' || (subresource === '' && operation === 'DELETE')) {
    const pod = lookup.get(pods, { namespace, name })
    if (!pod) throw notFound(pods, name)
    if (pod.spec?.nodeName !== node)
      throw forbid(
        subresource === 'eviction'
          ? `node ${node} can only evict pods with spec.nodeName set to itself`
          : `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`,
      )
    return
  }
  if (subresource !== '')
    throw forbid(`unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`)
  if (operation !== 'CREATE')
    throw forbid(
      `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
    )
  checkMirrorPod(attributes, node, lookup)
}

function checkMirrorPod(attributes: Attributes, node: string, lookup: Lookup): void {
  const pod = attributes.object as Pod
  const who = `node ${JSON.stringify(node)}`
  const forbid = (why: string) => refusal(attributes, why)
  const annotations = pod.metadata?.annotations ?? {}
  if (annotations['kubernetes.io/config.mirror'] === undefined)
    throw forbid(`pod does not have "kubernetes.io/config.mirror" annotation, ${who} can only create mirror pods`)
  if (pod.spec?.nodeName !== node) throw forbid(`${who} can only create pods with spec.nodeName set to itself`)
  const owners = pod.metadata?.ownerReferences ?? []
  if (owners.length > 1) throw forbid(`${who} can only create pods with a single owner reference set to itself`)
  const [owner] = owners
  if (!owner || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw forbid(`${who} can only create pods with an owner reference set to itself`)
  if (!owner.controller) throw forbid(`${who} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion) throw forbid(`${who} must not set blockOwnerDeletion on an owner reference`)
  const own = lookup.get(nodes, { name: node })
  if (!own) throw notFound(nodes, node)
  if (owner.uid !== own.metadata?.uid)
    throw forbid(`node ${node} UID mismatch: expected ${owner.uid} got ${own.metadata?.uid}`)
  const { ['kubernetes.io/config.mirror']: _mirror, ...others } = annotations
  const [reference] = podReferences({ ...pod, metadata: { ...pod.metadata, annotations: others } } as Frozen<Pod>)
  if (reference)
    throw forbid(`${who} can not create pods that reference ${reference.slice(0, reference.indexOf('/'))}s`)
}

function checkNode(attributes: Attributes, node: string): void {
  const { operation, name } = attributes
  const who = `node ${JSON.stringify(node)}`
  const own = attributes.object as Node | undefined
  const requested = name || (own?.metadata?.name ?? '')
  if (requested !== node) throw refusal(attributes, `${who} is not allowed to modify node ${JSON.stringify(requested)}`)
  if (operation !== 'CREATE' && operation !== 'UPDATE') return
  const old = attributes.old as Frozen<Node> | undefined
  const source = own?.spec?.configSource
  if (source && !old) throw refusal(attributes, `${who} is not allowed to create pods with a non-nil configSource`)
  if (source && !equal(source, old?.spec?.configSource))
    throw refusal(attributes, `${who} is not allowed to update configSource to a new non-nil configSource`)
  if (old && !equal(own?.spec?.taints, old.spec?.taints))
    throw refusal(attributes, `${who} is not allowed to modify taints`)
  if (old && !equal(own?.metadata?.ownerReferences, old.metadata?.ownerReferences))
    throw refusal(attributes, `${who} is not allowed to modify ownerReferences`)
  const labels = own?.metadata?.labels ?? {}
  const before = old?.metadata?.labels ?? {}
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    (key) => labels[key] !== before[key],
  )
  const bad = changed.filter(isForbiddenLabel).sort()
  if (bad.length > 0)
    throw refusal(
      attributes,
      old
        ? `is not allowed to modify labels: ${bad.join(', ')}`
        : `${who} is not allowed to set the following labels: ${bad.join(', ')}`,
    )
}

/** Labels of Kubernetes' own that a kubelet may set. */
const kubeletLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node.kubernetes.io/windows-build',
])

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  const below = (parent: string) => domain === parent || domain.endsWith(`.${parent}`)
  if (below('node-restriction.kubernetes.io')) return true
  if (!below('kubernetes.io') && !below('k8s.io')) return false
  return !kubeletLabels.has(key) && !below('kubelet.kubernetes.io') && !below('node.kubernetes.io')
}

function checkClaim(attributes: Attributes, node: string): void {
  if (attributes.subresource !== 'status') throw refusal(attributes, 'may only update PVC status')
  const plain = (claim: Frozen<PersistentVolumeClaim>) => {
    const { resourceVersion: _version, managedFields: _fields, ...metadata } = claim.metadata ?? {}
    const {
      capacity: _capacity,
      conditions: _conditions,
      allocatedResourceStatuses: _statuses,
      allocatedResources: _allocated,
      ...status
    } = claim.status ?? {}
    return { ...claim, metadata, status }
  }
  if (
    !equal(
      plain(attributes.object as Frozen<PersistentVolumeClaim>),
      plain(attributes.old as Frozen<PersistentVolumeClaim>),
    )
  ) {
    throw refusal(
      attributes,
      `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`,
    )
  }
}

function checkToken(attributes: Attributes, node: string, lookup: Lookup): void {
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return
  const ref = (attributes.object as TokenRequest).spec?.boundObjectRef
  if (!ref || ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name)
    throw refusal(attributes, 'node requested token not bound to a pod')
  if (!ref.uid) throw refusal(attributes, 'node requested token with a pod binding without a uid')
  const pod = lookup.get(pods, { namespace: attributes.namespace, name: ref.name })
  if (!pod) throw notFound(pods, ref.name)
  if (ref.uid !== pod.metadata?.uid)
    throw refusal(
      attributes,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (pod.spec?.nodeName !== node)
    throw refusal(attributes, 'node requested token bound to a pod scheduled on a different node')
}

function checkOwn(attributes: Attributes, node: string): void {
  const lease = isResource(attributes.kind, leases)
  if (lease && attributes.namespace !== 'kube-node-lease')
    throw refusal(attributes, 'can only access leases in the "kube-node-lease" system namespace')
  const name = attributes.operation === 'CREATE' ? attributes.object?.metadata.name : attributes.name
  if (name !== node)
    throw refusal(
      attributes,
      lease
        ? 'can only access node lease with the same name as the requesting node'
        : 'can only access CSINode with the same name as the requesting node',
    )
}
