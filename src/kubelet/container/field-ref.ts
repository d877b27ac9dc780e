import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** What of a pod only the node knows. */
export interface NodeFacts {
  readonly podIps: readonly string[]
  readonly hostIps: readonly string[]
}

/** The value of a downward field (`metadata.labels['app']`, `status.podIP` …) as environment variables and files have it. Throws on one that does not exist. */
export function fieldValue(path: string, pod: Frozen<Pod>, node: NodeFacts): string {
  const one = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(path)
  if (one) return (one[1] === 'metadata.labels' ? pod.metadata.labels : pod.metadata.annotations)?.[one[2]!] ?? ''
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? ''
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return mapText(pod.metadata.labels)
    case 'metadata.annotations':
      return mapText(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? ''
    case 'status.hostIP':
      return node.hostIps[0] ?? ''
    case 'status.hostIPs':
      return node.hostIps.join(',')
    case 'status.podIP':
      return node.podIps[0] ?? ''
    case 'status.podIPs':
      return node.podIps.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${path}`)
  }
}

/** `key="value"` a line, sorted, as upstream writes maps. */
const mapText = (map: Readonly<Record<string, string>> | undefined) =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${goQuoted(value)}`)
    .join('\n')

const escapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\f': '\\f',
  '\b': '\\b',
  '\u0007': '\\a',
  '"': '\\"',
  '\\': '\\\\',
}

/** As Go's %q writes a string. */
export const goQuoted = (text: string): string =>
  `"${[...text].map((char) => escapes[char] ?? (char < ' ' || char === '\u007f' ? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}` : char)).join('')}"`
