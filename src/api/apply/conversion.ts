import type { Kind } from '../kind.ts'
import type { KubernetesObject } from '../resource.ts'
import { apiVersionOf } from '../resource.ts'
import type { Convert } from './settle.ts'

/** Where kinds are found: the table of kinds. */
export interface KindsByName {
  byKind(group: string, version: string, kind: string): Kind | undefined
}

/** Turns objects of a kind into the other versions in which it is served, by way of the version in which it is stored. */
export function conversionOf(kinds: KindsByName, kind: Kind): Convert {
  return (object, apiVersion) => {
    if (apiVersion === apiVersionOf(kind.resource)) return { schema: kind.schema, object }
    const slash = apiVersion.indexOf('/')
    const target = kinds.byKind(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind.resource.kind)
    if (!target || storedIn(target) !== storedIn(kind)) return undefined
    const stored = kind.storedAs ? kind.storedAs.toStored(object as KubernetesObject) : (object as KubernetesObject)
    return { schema: target.schema, object: target.storedAs ? target.storedAs.fromStored(stored) : stored }
  }
}

/** The kind under which objects lie. */
const storedIn = (kind: Kind): Kind => kind.storedAs?.kind() ?? kind
