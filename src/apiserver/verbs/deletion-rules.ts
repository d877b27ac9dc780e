import type { Kind } from '../../api/kind.ts'

/** Where kinds differ when they are deleted. */
export interface DeletionRules {
  /** The answer is the object even when it is gone; otherwise a Status. */
  readonly returnsObject: boolean
  /** The garbage collector looks after what it owns. */
  readonly collected: boolean
  /** Without a propagation policy its dependents are orphaned, as in the days of its first version. */
  readonly orphansByDefault: boolean
  /** It is a namespace: it goes once its `spec.finalizers` are gone. */
  readonly bySpecFinalizers: boolean
  /** It is a definition of a custom kind: its objects go before it. */
  readonly ownsObjects: boolean
}

const returning: ReadonlySet<string> = new Set([
  'namespaces.',
  'persistentvolumeclaims.',
  'persistentvolumes.',
  'pods.',
  'podtemplates.',
  'resourcequotas.',
  'serviceaccounts.',
  'services.',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourceslices.resource.k8s.io',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
])
const uncollected: ReadonlySet<string> = new Set(['events.', 'events.events.k8s.io'])
const orphaning: ReadonlySet<string> = new Set(['replicationcontrollers.', 'jobs.batch'])

const known = new WeakMap<Kind, DeletionRules>()

/** The rules of a kind. */
export function deletionRules(kind: Kind): DeletionRules {
  let rules = known.get(kind)
  if (!rules) {
    const name = `${kind.resource.plural}.${kind.resource.group}`
    rules = {
      returnsObject: returning.has(name),
      collected: !uncollected.has(name),
      orphansByDefault: orphaning.has(name),
      bySpecFinalizers: name === 'namespaces.',
      ownsObjects: name === 'customresourcedefinitions.apiextensions.k8s.io',
    }
    known.set(kind, rules)
  }
  return rules
}
