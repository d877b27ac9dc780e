import type { Kind } from '../kind.ts'
import type { KubernetesObject } from '../resource.ts'
import type { Convert } from './settle.ts'

/** Where kinds are found: the table of kinds. */
export interface KindsByName {
  byKind(group: string, version: string, kind: string): Kind | undefined
}

/** Turns objects of a kind, in any of the versions in which it is served, into another one, by way of the version in which it is stored. */
export function conversionOf(kinds: KindsByName, kind: Kind): Convert {
  const served = (apiVersion: string): Kind | undefined => {
    const slash = apiVersion.indexOf('/')
    const found = kinds.byKind(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind.resource.kind)
    return found && storedIn(found) === storedIn(kind) ? found : undefined
  }
  return (object, apiVersion) => {
    // What is not there yet is empty in every version, and in the one of the request.
    const from = object.apiVersion === undefined ? kind : served(object.apiVersion)
    const to = served(apiVersion)
    if (!from || !to) return undefined
    if (from === to) return { schema: to.schema, object }
    const stored = from.storedAs ? from.storedAs.toStored(object as KubernetesObject) : (object as KubernetesObject)
    return { schema: to.schema, object: to.storedAs ? to.storedAs.fromStored(stored) : stored }
  }
}

/** The kind under which objects lie. */
const storedIn = (kind: Kind): Kind => kind.storedAs?.kind() ?? kind
