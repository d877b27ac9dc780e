import {
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceSlices,
  volumeAttachments,
} from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PolicyRule } from '../../api/generated/types/rbac-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nodeNameOf } from '../authn/user.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import { follow } from '../registry/follow.ts'
import type { Registry } from '../registry/registry.ts'
import type { Ask, Authorizer, Decision } from './authorizer.ts'
import { podReferences } from './pod-references.ts'
import { coversOf } from './rules.ts'

/** A pod of a node, and what it needs. */
interface Needs {
  readonly namespace: string
  readonly references: ReadonlySet<string>
}

const allow: Decision = { verdict: 'allow', reason: '' }
const none = (reason: string): Decision => ({ verdict: 'none', reason })

/** Nodes may read what their own pods need, and write what is about themselves. */
export class NodeAuthorizer implements Authorizer {
  readonly #registry: Registry
  readonly #byNode = new Map<string, Map<string, Needs>>()
  /** Where each pod is, so that a pod's earlier state need not be read again. */
  readonly #nodeOf = new Map<string, string>()
  readonly #rules = coversOf(nodeRules())

  private constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Follows the pods, to know which node needs what. */
  static async start(registry: Registry): Promise<NodeAuthorizer> {
    const authorizer = new NodeAuthorizer(registry)
    await follow(registry.storageOfResource(pods)!.cache, {
      set(entry) {
        authorizer.#forget(entry.key)
        // Most pods that are new have no node yet: they need not be parsed to know.
        if (entry.field('spec.nodeName') !== '')
          authorizer.#learn(entry.key, entry.namespace, entry.object as Frozen<Pod>)
      },
      remove: (before) => authorizer.#forget(before.key),
    })
    return authorizer
  }

  authorize(ask: Ask): Decision {
    const node = nodeNameOf(ask.user)
    if (node === undefined) return none('')
    if (node === '') return none(`unknown node for user ${JSON.stringify(ask.user.name)}`)
    const special = ask.isResource ? specials[`${ask.resource}.${ask.group}`] : undefined
    if (special) return special(ask, node, this)
    return this.#rules(ask) ? allow : none('')
  }

  /** The rules that all nodes have. */
  covers(ask: Ask): Decision {
    return this.#rules(ask) ? allow : none('')
  }

  /** Whether one of the node's pods needs an object. */
  needs(node: string, namespace: string, reference: string): boolean {
    for (const pod of this.#byNode.get(node)?.values() ?? [])
      if (pod.namespace === namespace && pod.references.has(reference)) return true
    return false
  }

  /** Whether a secret belongs to a volume that one of the node's pods uses. */
  needsByVolume(node: string, namespace: string, secret: string): boolean {
    return this.#volumesOf(node).some((volume) => {
      const { csi } = volume.spec ?? {}
      return [
        csi?.nodePublishSecretRef,
        csi?.nodeStageSecretRef,
        csi?.controllerPublishSecretRef,
        csi?.nodeExpandSecretRef,
      ].some((ref) => ref?.name === secret && ref.namespace === namespace)
    })
  }

  needsVolume(node: string, name: string): boolean {
    return this.#volumesOf(node).some(({ metadata }) => metadata?.name === name)
  }

  isAttachedTo(node: string, attachment: string): boolean {
    return this.#registry.get(volumeAttachments, { name: attachment })?.spec?.nodeName === node
  }

  ownsSlice(node: string, slice: string): boolean {
    return this.#registry.get(resourceSlices, { name: slice })?.spec?.nodeName === node
  }

  runsPod(node: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.has(`${namespace}/${name}`) ?? false
  }

  #volumesOf(node: string) {
    const volumes = []
    for (const { namespace, references } of this.#byNode.get(node)?.values() ?? []) {
      for (const reference of references) {
        if (!reference.startsWith('pvc/')) continue
        const claim = this.#registry.get(persistentVolumeClaims, { namespace, name: reference.slice(4) })
        const volume = claim?.spec?.volumeName
          ? this.#registry.get(persistentVolumes, { name: claim.spec.volumeName })
          : undefined
        if (volume) volumes.push(volume)
      }
    }
    return volumes
  }

  #learn(key: string, namespace: string, pod: Frozen<Pod>): void {
    const node = pod.spec?.nodeName
    if (!node) return
    let ofNode = this.#byNode.get(node)
    if (!ofNode) this.#byNode.set(node, (ofNode = new Map()))
    ofNode.set(key, { namespace, references: podReferences(pod) })
    this.#nodeOf.set(key, node)
  }

  #forget(key: string): void {
    const node = this.#nodeOf.get(key)
    if (node === undefined) return
    const ofNode = this.#byNode.get(node)
    ofNode?.delete(key)
    if (ofNode?.size === 0) this.#byNode.delete(node)
    this.#nodeOf.delete(key)
  }
}

function nodeRules(): PolicyRule[] {
  return (facts.clusterroles.find(({ metadata }) => metadata.name === 'system:node')?.rules ?? []) as PolicyRule[]
}

type Special = (ask: Ask, node: string, authorizer: NodeAuthorizer) => Decision

const noRelation = (node: string): Decision => none(`no relationship found between node '${node}' and this object`)
const related = (is: boolean, node: string): Decision => (is ? allow : noRelation(node))

/** Whether the list or watch is confined to the node. */
const confined = ({ fieldSelector }: Ask, field: string, node: string): boolean =>
  fieldSelector?.split(',').some((term) => term === `${field}=${node}` || term === `${field}==${node}`) ?? false

const readNamespaced =
  (reference: string): Special =>
  (ask, node, authorizer) => {
    if (ask.verb !== 'get' && ask.verb !== 'list' && ask.verb !== 'watch')
      return none('can only read resources of this type')
    if (ask.subresource) return none('cannot read subresource')
    if (!ask.namespace) return none('can only read namespaced object of this type')
    if (!ask.name) return none('No Object name found')
    return related(
      authorizer.needs(node, ask.namespace, `${reference}/${ask.name}`) ||
        (reference === 'secret' && authorizer.needsByVolume(node, ask.namespace, ask.name)),
      node,
    )
  }

const getOnly =
  (is: (ask: Ask, node: string, authorizer: NodeAuthorizer) => boolean): Special =>
  (ask, node, authorizer) => {
    if (ask.verb !== 'get') return none('can only get individual resources of this type')
    if (ask.subresource) return none('cannot get subresource')
    return ask.name ? related(is(ask, node, authorizer), node) : none('No Object name found')
  }

const needsClaim = ({ namespace, name }: Ask, node: string, authorizer: NodeAuthorizer) =>
  authorizer.needs(node, namespace, `pvc/${name}`)

const claims: Special = (ask, node, authorizer) => {
  if (ask.subresource !== 'status') return getOnly(needsClaim)(ask, node, authorizer)
  if (ask.verb !== 'update' && ask.verb !== 'patch') return none('can only get/update/patch this type')
  return related(needsClaim(ask, node, authorizer), node)
}

const accounts: Special = (ask, node, authorizer) => {
  if (ask.verb === 'get' && !ask.subresource) return readNamespaced('serviceaccount')(ask, node, authorizer)
  if (ask.verb !== 'create' || !ask.name) return none('can only create tokens for individual service accounts')
  if (ask.subresource !== 'token') return none('can only create token subresource of serviceaccount')
  return related(authorizer.needs(node, ask.namespace, `serviceaccount/${ask.name}`), node)
}

const ownVerbs: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete'])

const leases: Special = (ask, node) => {
  if (!ownVerbs.has(ask.verb)) return none('can only get, create, update, patch, or delete a node lease')
  if (ask.namespace !== 'kube-node-lease')
    return none('can only access leases in the "kube-node-lease" system namespace')
  return ask.verb === 'create' || ask.name === node
    ? allow
    : none('can only access node lease with the same name as the requesting node')
}

const csiNodes: Special = (ask, node) => {
  if (!ownVerbs.has(ask.verb)) return none('can only get, create, update, patch, or delete a CSINode')
  if (ask.subresource) return none('cannot authorize CSINode subresources')
  return ask.verb === 'create' || ask.name === node
    ? allow
    : none('can only access CSINode with the same name as the requesting node')
}

const slices: Special = (ask, node, authorizer) => {
  if (ask.subresource) return none('cannot authorize ResourceSlice subresources')
  if (ask.verb === 'create') return allow
  if (ownVerbs.has(ask.verb)) return related(authorizer.ownsSlice(node, ask.name), node)
  return confined(ask, 'spec.nodeName', node)
    ? allow
    : none('can only list/watch/deletecollection resourceslices with nodeName field selector')
}

const nodes: Special = (ask, node, authorizer) => {
  if (ask.subresource === '' && (ask.verb === 'get' || ask.verb === 'list' || ask.verb === 'watch')) {
    return ask.name === node
      ? allow
      : none(
          ask.name
            ? `node '${node}' cannot read '${ask.name}', only its own Node object`
            : `node '${node}' cannot read all nodes, only its own Node object`,
        )
  }
  return authorizer.covers(ask)
}

const ownPods: Special = (ask, node, authorizer) => {
  if (ask.subresource === '' && ask.verb === 'get')
    return related(authorizer.runsPod(node, ask.namespace, ask.name), node)
  if (ask.subresource === '' && (ask.verb === 'list' || ask.verb === 'watch')) {
    if (confined(ask, 'spec.nodeName', node) || (ask.name !== '' && authorizer.runsPod(node, ask.namespace, ask.name)))
      return allow
    return none(`can only list/watch pods with spec.nodeName field selector`)
  }
  return authorizer.covers(ask)
}

/** Resources whose objects nodes may use only when they have to do with them. */
const specials: Readonly<Record<string, Special>> = {
  'secrets.': readNamespaced('secret'),
  'configmaps.': readNamespaced('configmap'),
  'persistentvolumeclaims.': claims,
  'persistentvolumes.': getOnly(({ name }, node, authorizer) => authorizer.needsVolume(node, name)),
  'resourceclaims.resource.k8s.io': getOnly(({ namespace, name }, node, authorizer) =>
    authorizer.needs(node, namespace, `resourceclaim/${name}`),
  ),
  'volumeattachments.storage.k8s.io': getOnly(({ name }, node, authorizer) => authorizer.isAttachedTo(node, name)),
  'serviceaccounts.': accounts,
  'leases.coordination.k8s.io': leases,
  'csinodes.storage.k8s.io': csiNodes,
  'resourceslices.resource.k8s.io': slices,
  'nodes.': nodes,
  'pods.': ownPods,
}
