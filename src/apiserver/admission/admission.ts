import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { User } from '../authn/user.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** What is about to be done. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** One operation on one object, as admission plugins see it. */
export interface Attributes {
  readonly operation: Operation
  readonly kind: Kind
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** What is to be stored; mutating plugins change it. Undefined for deletions and connections. */
  object: Draft | undefined
  /** What is stored now. Undefined for creations. */
  readonly old: Frozen<KubernetesObject> | undefined
  /** The request's options, as an object of the API (CreateOptions …): what webhooks are sent. */
  readonly options: Frozen<KubernetesObject> | undefined
  readonly dryRun: boolean
  readonly user: User
  warn(text: string): void
}

/** One rule set of the admission chain. Throws an `ApiError` to refuse. */
export interface AdmissionPlugin {
  readonly name: string
  /** Whether it ever has something to say about such operations: asked once a route, not once a request. */
  handles(operation: Operation, kind: Kind, subresource: string): boolean
  /** Changes the object. */
  admit?(attributes: Attributes): void | Promise<void>
  /** Judges what the other plugins, and the kind's own rules, have made of it. */
  validate?(attributes: Attributes): void | Promise<void>
}

/** The plugins that care about one sort of operation. */
interface Stage {
  readonly mutating: readonly AdmissionPlugin[]
  readonly validating: readonly AdmissionPlugin[]
}

/** The chain of admission plugins, sorted out once a sort of operation. */
export class Admission {
  readonly #plugins: readonly AdmissionPlugin[]
  readonly #stages = new WeakMap<Kind, Map<string, Stage>>()

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins
  }

  /** Runs the mutating plugins. Undefined: done already. */
  admit(attributes: Attributes): void | Promise<void> {
    return run(this.#stage(attributes).mutating, attributes, 0, admitWith)
  }

  /** Runs the validating plugins. */
  validate(attributes: Attributes): void | Promise<void> {
    return run(this.#stage(attributes).validating, attributes, 0, validateWith)
  }

  #stage({ operation, kind, subresource }: Attributes): Stage {
    let byOperation = this.#stages.get(kind)
    if (!byOperation) this.#stages.set(kind, (byOperation = new Map()))
    const key = `${operation}/${subresource}`
    let stage = byOperation.get(key)
    if (!stage) {
      const handling = this.#plugins.filter((plugin) => plugin.handles(operation, kind, subresource))
      stage = {
        mutating: handling.filter((plugin) => plugin.admit),
        validating: handling.filter((plugin) => plugin.validate),
      }
      byOperation.set(key, stage)
    }
    return stage
  }
}

type Step = (plugin: AdmissionPlugin, attributes: Attributes) => void | Promise<void>
const admitWith: Step = (plugin, attributes) => plugin.admit!(attributes)
const validateWith: Step = (plugin, attributes) => plugin.validate!(attributes)

/** Runs plugins in turn; becomes asynchronous only behind one that is. */
function run(
  plugins: readonly AdmissionPlugin[],
  attributes: Attributes,
  from: number,
  step: Step,
): void | Promise<void> {
  for (let at = from; at < plugins.length; at++) {
    const pending = step(plugins[at]!, attributes)
    if (pending) return pending.then(() => run(plugins, attributes, at + 1, step))
  }
}
