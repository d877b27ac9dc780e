/** What a request is about, read off its method and path alone, as upstream's request info: what authorization, metrics and audit see. */
export interface RequestInfo {
  /** A resource request; otherwise only `path` and `verb` (the method in lower case) mean something. */
  readonly isResource: boolean
  readonly verb: string
  readonly path: string
  /** 'api', 'apis' or ''. */
  readonly prefix: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** What follows the subresource: the path of a proxied request, with its leading slash. */
  readonly rest: string
  /** The path was below `/watch/`, the old way to ask for a watch. */
  readonly legacyWatch: boolean
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Subresources of the namespace itself: everything else behind a namespace's name is a resource in it. */
const namespaceSubresources = new Set(['status', 'finalize'])

/** Reads a request's path. `watch` is its query's flag; `fieldName` the name that its field selector fixes, if any. */
export function requestInfoOf(method: string, path: string, watch: boolean, fieldName: string): RequestInfo {
  if (path.includes('//')) return nonResource(method, path)
  const parts = partsOf(path)
  const prefix = parts[0] ?? ''
  if (parts.length < 3 || (prefix !== 'api' && prefix !== 'apis') || (prefix === 'apis' && parts.length < 4))
    return nonResource(method, path)
  let at = 1
  const group = prefix === 'apis' ? parts[at++]! : ''
  const version = parts[at++]!
  let verb = verbs[method] ?? ''
  let legacyWatch = false
  if (parts[at] === 'watch') {
    legacyWatch = true
    verb = 'watch'
    if (++at >= parts.length) return nonResource(method, path)
  }
  let namespace = ''
  if (parts[at] === 'namespaces' && parts.length > at + 1) {
    namespace = parts[at + 1]!
    if (parts.length > at + 2 && !namespaceSubresources.has(parts[at + 2]!)) at += 2
  }
  const resource = parts[at] ?? ''
  let name = parts[at + 1] ?? ''
  const subresource = parts[at + 2] ?? ''
  const rest = parts.length > at + 3 || (subresource && path.endsWith('/')) ? restOf(path, at + 3) : ''
  if (!name && verb === 'get') verb = watch ? 'watch' : 'list'
  else if (!name && verb === 'delete') verb = 'deletecollection'
  else if (name && verb === 'get' && watch && !subresource) verb = 'get'
  if (!name && fieldName && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')) name = fieldName
  return {
    isResource: true,
    verb,
    path,
    prefix,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    rest,
    legacyWatch,
  }
}

const nonResource = (method: string, path: string): RequestInfo => ({
  isResource: false,
  verb: method.toLowerCase(),
  path,
  prefix: '',
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  rest: '',
  legacyWatch: false,
})

/** The path's segments; empty ones at the ends are dropped. An encoded slash separates like any other, as upstream has it. */
function partsOf(encoded: string): string[] {
  const path = encoded.includes('%') ? decoded(encoded) : encoded
  const parts: string[] = []
  let start = 1
  while (start < path.length) {
    let end = path.indexOf('/', start)
    if (end < 0) end = path.length
    parts.push(path.slice(start, end))
    start = end + 1
  }
  return parts
}

/** From the segment `count` on, undecoded, with its leading slash. */
function restOf(path: string, count: number): string {
  let at = 0
  for (let i = 0; i <= count && at >= 0; i++) at = path.indexOf('/', i === 0 ? 0 : at + 1)
  return at < 0 ? '' : path.slice(at)
}

/** Percent-decodes; a text that is not properly encoded stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
