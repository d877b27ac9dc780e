import type { Kind, Subresource } from '../kind.ts'
import { findDefinition } from '../schema/builtin.ts'
import { patchId } from './schemas.ts'

/** A parameter in a path or a query. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly type: 'string' | 'integer' | 'boolean'
}

/** A body or an answer: a definition by its id, or plain text. */
export type BodyType = { readonly id: string } | 'string'

/** One method of a path. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options'
  readonly id: string
  readonly tag: string
  readonly action?: string
  readonly gvk?: { readonly group: string; readonly version: string; readonly kind: string }
  readonly parameters: readonly Parameter[]
  readonly body?: { readonly type: BodyType; readonly required: boolean }
  readonly consumes: readonly string[]
  readonly produces: readonly string[]
  readonly responses: Readonly<Record<string, BodyType | undefined>>
}

/** A path with its methods. */
export interface PathItem {
  readonly path: string
  readonly operations: readonly Operation[]
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const json = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor']
const watched = [
  ...json,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
  'application/cbor-seq',
]
const patches = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
]
/** Custom kinds have neither protobuf nor strategic merge patches. */
const customJson = ['application/json', 'application/yaml']
const customPatches = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
]

const query = (type: Parameter['type'], ...names: string[]): Parameter[] =>
  names.map((name) => ({ name, in: 'query', type }))
const inPath = (name: string): Parameter => ({ name, in: 'path', type: 'string' })

const pretty = query('string', 'pretty')
const listing = [
  ...query('string', 'continue', 'fieldSelector', 'labelSelector'),
  ...query('integer', 'limit'),
  ...query('string', 'resourceVersion', 'resourceVersionMatch'),
  ...query('boolean', 'sendInitialEvents'),
  ...query('integer', 'timeoutSeconds'),
]
const listOrWatch = [...query('boolean', 'allowWatchBookmarks'), ...listing, ...query('boolean', 'watch')]
const writing = query('string', 'dryRun', 'fieldManager', 'fieldValidation')
const patching = [...writing, ...query('boolean', 'force')]
const deleting = [
  ...query('string', 'dryRun'),
  ...query('integer', 'gracePeriodSeconds'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
  ...query('string', 'propagationPolicy'),
]

/** Kinds whose deletion answers with the object, not with a Status. */
const returned = new Set(
  'PersistentVolumeClaim Pod PodTemplate ResourceQuota ServiceAccount Service PersistentVolume DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass'.split(
    ' ',
  ),
)

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** 'rbac.authorization.k8s.io' → 'RbacAuthorization', '' → 'Core' */
const groupName = (group: string): string =>
  group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split(/[.-]/)
        .map(capital)
        .join('')

/** 'rbacAuthorization_v1' */
const tagOf = (group: string, version: string): string =>
  `${groupName(group).slice(0, 1).toLowerCase()}${groupName(group).slice(1)}_${version}`

/** The id of a kind's definition; a custom kind's begins with its group in reverse. */
export function definitionId({ resource, schema, custom }: Kind): string {
  return custom || !schema.name
    ? `${resource.group.split('.').reverse().join('.')}.${resource.version}.${resource.kind}`
    : schema.name
}

/** The id of the definition of a kind's lists. */
export const listDefinitionId = (kind: Kind): string => `${definitionId(kind)}List`

/** Everything that can be done with a kind. */
export function pathsOf(kind: Kind): PathItem[] {
  const { group, version, plural, namespaced } = kind.resource
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const build = new OperationBuilder(kind)
  const items: PathItem[] = [
    { path: collection, operations: build.collection() },
    { path: `${collection}/{name}`, operations: build.item() },
    ...(namespaced ? [{ path: `${root}/${plural}`, operations: build.everywhere() }] : []),
    ...kind.subresources.flatMap((subresource) =>
      build.subresource(`${collection}/{name}/${subresource.name}`, subresource),
    ),
  ]
  return items.filter(({ operations }) => operations.length > 0)
}

class OperationBuilder {
  readonly #kind: Kind
  readonly #object: BodyType
  readonly #base: string
  readonly #scoped: Parameter[]

  constructor(kind: Kind) {
    this.#kind = kind
    this.#object = { id: definitionId(kind) }
    const { group, version, namespaced } = kind.resource
    this.#base = groupName(group) + capital(version)
    this.#scoped = namespaced ? [inPath('namespace')] : []
  }

  #can(...verbs: string[]): boolean {
    return verbs.some((verb) => this.#kind.verbs.includes(verb))
  }

  #id(verb: string, tail = ''): string {
    return `${verb}${this.#base}${this.#kind.resource.namespaced ? 'Namespaced' : ''}${this.#kind.resource.kind}${tail}`
  }

  #operation(
    operation: Pick<Operation, 'method' | 'id' | 'action' | 'parameters' | 'responses'> & Partial<Operation>,
  ): Operation {
    const { group, version, kind } = this.#kind.resource
    const { responses, ...rest } = operation
    return {
      tag: tagOf(group, version),
      gvk: { group, version, kind },
      consumes: ['*/*'],
      produces: this.#kind.custom ? customJson : json,
      ...rest,
      responses: { ...responses, '401': undefined },
    }
  }

  collection(): Operation[] {
    const { kind } = this.#kind.resource
    const shared = [...this.#scoped, ...pretty]
    const out: Operation[] = []
    if (this.#can('list')) out.push(this.#list(this.#id('list'), shared))
    if (this.#can('create')) {
      const responses = { '200': this.#object, '201': this.#object, '202': this.#object }
      out.push(
        this.#operation({
          method: 'post',
          id: this.#id('create'),
          action: 'post',
          parameters: [...writing, ...shared],
          body: { type: this.#object, required: true },
          responses,
        }),
      )
    }
    if (this.#can('deletecollection')) {
      const id = `delete${this.#base}Collection${this.#kind.resource.namespaced ? 'Namespaced' : ''}${kind}`
      const body = { type: { id: `${meta}DeleteOptions` }, required: false }
      out.push(
        this.#operation({
          method: 'delete',
          id,
          action: 'deletecollection',
          parameters: [...listing, ...deleting, ...shared],
          body,
          responses: { '200': { id: `${meta}Status` } },
        }),
      )
    }
    return out
  }

  everywhere(): Operation[] {
    const { kind } = this.#kind.resource
    return this.#can('list') ? [this.#list(`list${this.#base}${kind}ForAllNamespaces`, pretty)] : []
  }

  #list(id: string, shared: Parameter[]): Operation {
    const produces = this.#kind.custom ? customJson : watched
    return this.#operation({
      method: 'get',
      id,
      action: 'list',
      parameters: [...listOrWatch, ...shared],
      produces,
      responses: { '200': { id: listDefinitionId(this.#kind) } },
    })
  }

  item(): Operation[] {
    const shared = [inPath('name'), ...this.#scoped, ...pretty]
    const out = this.#readAndWrite(this.#kind.verbs, { object: this.#object, shared, tail: '', gvk: undefined })
    if (this.#can('delete')) {
      const answer: BodyType =
        returned.has(this.#kind.resource.kind) && !this.#kind.custom ? this.#object : { id: `${meta}Status` }
      const body = { type: { id: `${meta}DeleteOptions` }, required: false }
      out.push(
        this.#operation({
          method: 'delete',
          id: this.#id('delete'),
          action: 'delete',
          parameters: [...deleting, ...shared],
          body,
          responses: { '200': answer, '202': answer },
        }),
      )
    }
    return out
  }

  /** get, update and patch, which objects and their subresources have alike. */
  #readAndWrite(
    verbs: readonly string[],
    { object, shared, tail, gvk }: { object: BodyType; shared: Parameter[]; tail: string; gvk: Operation['gvk'] },
  ): Operation[] {
    const out: Operation[] = []
    const own = gvk && { gvk }
    if (verbs.includes('get'))
      out.push(
        this.#operation({
          method: 'get',
          id: this.#id('read', tail),
          action: 'get',
          parameters: shared,
          responses: { '200': object },
          ...own,
        }),
      )
    const responses = { '200': object, '201': object }
    if (verbs.includes('update'))
      out.push(
        this.#operation({
          method: 'put',
          id: this.#id('replace', tail),
          action: 'put',
          parameters: [...writing, ...shared],
          body: { type: object, required: true },
          responses,
          ...own,
        }),
      )
    if (verbs.includes('patch')) {
      const consumes = this.#kind.custom ? customPatches : patches
      out.push(
        this.#operation({
          method: 'patch',
          id: this.#id('patch', tail),
          action: 'patch',
          parameters: [...patching, ...shared],
          body: { type: { id: patchId }, required: true },
          consumes,
          responses,
          ...own,
        }),
      )
    }
    return out
  }

  subresource(path: string, subresource: Subresource): PathItem[] {
    const { name, responseKind, verbs } = subresource
    const tail = capital(name)
    const shared = [inPath('name'), ...this.#scoped]
    if (responseKind.kind.endsWith('Options')) return this.#connect(path, subresource)
    if (name === 'log') {
      const produces = ['text/plain', ...json]
      return [
        {
          path,
          operations: [
            this.#operation({
              method: 'get',
              id: this.#id('read', tail),
              action: 'get',
              parameters: [...optionsOf('PodLogOptions'), ...shared, ...pretty],
              produces,
              responses: { '200': 'string' },
            }),
          ],
        },
      ]
    }
    const foreign = responseKind.group !== this.#kind.resource.group || responseKind.kind !== this.#kind.resource.kind
    const object: BodyType = { id: foreign ? responseDefinition(this.#kind, responseKind) : definitionId(this.#kind) }
    const gvk = foreign ? responseKind : undefined
    const operations = this.#readAndWrite(verbs, { object, shared: [...shared, ...pretty], tail, gvk })
    if (verbs.includes('create')) {
      const responses = { '200': object, '201': object, '202': object }
      operations.push(
        this.#operation({
          method: 'post',
          id: this.#id('create', tail),
          action: 'post',
          parameters: [...writing, ...shared, ...pretty],
          body: { type: object, required: true },
          responses,
          ...(gvk && { gvk }),
        }),
      )
    }
    return [{ path, operations }]
  }

  /** exec, attach, port-forward and proxies: streams behind options in the query. */
  #connect(path: string, { name, responseKind, verbs }: Subresource): PathItem[] {
    const shared = [...optionsOf(responseKind.kind), inPath('name'), ...this.#scoped]
    const methods =
      name === 'proxy'
        ? (['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const)
        : (['get', 'post'] as const).filter((method) => verbs.includes(method === 'get' ? 'get' : 'create'))
    const operations = (tail: string, parameters: Parameter[]) =>
      methods.map((method) =>
        this.#operation({
          method,
          id: `connect${this.#base}${capital(method)}${this.#kind.resource.namespaced ? 'Namespaced' : ''}${this.#kind.resource.kind}${tail}`,
          action: 'connect',
          gvk: responseKind,
          parameters,
          produces: ['*/*'],
          responses: { '200': 'string' },
        }),
      )
    const tail = capital(name)
    return [
      { path, operations: operations(tail, shared) },
      ...(name === 'proxy'
        ? [{ path: `${path}/{path}`, operations: operations(`${tail}WithPath`, [...shared, inPath('path')]) }]
        : []),
    ]
  }
}

/** The fields of an options kind as query parameters. */
function optionsOf(kind: string): Parameter[] {
  const fields = [...findDefinition(`io.k8s.api.core.v1.${kind}`)!.fields.values()].filter(
    ({ name }) => name !== 'kind' && name !== 'apiVersion',
  )
  return fields
    .map(({ name, schema }): Parameter => {
      const item = schema.type === 'list' ? schema.items : schema
      // Times come as text.
      return {
        name,
        in: 'query',
        type:
          item.type === 'boolean' ? 'boolean' : item.type === 'int32' || item.type === 'int64' ? 'integer' : 'string',
      }
    })
    .filter(({ name }) => name !== 'sinceTime')
}

/** The definition of what a subresource answers in another group: Scale, Eviction, TokenRequest, Binding. */
function responseDefinition(kind: Kind, response: Subresource['responseKind']): string {
  const group = response.group === '' ? 'core' : response.group.split('.')[0]!
  const id = `io.k8s.api.${group}.${response.version}.${response.kind}`
  return findDefinition(id) ? id : definitionId(kind)
}

/** The paths that only tell what there is: of one group or version, or of the server. */
export function rootOperation(
  path: string,
  {
    id,
    tag,
    answer,
    produces = json.slice(0, 3),
  }: { id: string; tag: string; answer: BodyType; produces?: readonly string[] },
): PathItem {
  return {
    path,
    operations: [
      {
        method: 'get',
        id,
        tag,
        parameters: [],
        consumes: answer === 'string' ? [] : produces,
        produces,
        responses: { '200': answer, '401': undefined },
      },
    ],
  }
}

/** The path of a group's document. */
export const groupPath = (group: string): PathItem =>
  rootOperation(`/apis/${group}/`, {
    id: `get${groupName(group)}APIGroup`,
    tag: tagOf(group, 'v').slice(0, -2),
    answer: { id: `${meta}APIGroup` },
  })

/** The path of a version's document. */
export const versionPath = (group: string, version: string): PathItem =>
  rootOperation(group ? `/apis/${group}/${version}/` : `/api/${version}/`, {
    id: `get${groupName(group)}${capital(version)}APIResources`,
    tag: tagOf(group, version),
    answer: { id: `${meta}APIResourceList` },
    produces: json,
  })

/** The paths that belong to no group, by the name of their document. */
export const serverPaths: Readonly<Record<string, readonly PathItem[]>> = {
  '.well-known/openid-configuration': [
    rootOperation('/.well-known/openid-configuration/', {
      id: 'getServiceAccountIssuerOpenIDConfiguration',
      tag: 'WellKnown',
      answer: 'string',
      produces: ['application/json'],
    }),
  ],
  api: [rootOperation('/api/', { id: 'getCoreAPIVersions', tag: 'core', answer: { id: `${meta}APIVersions` } })],
  apis: [rootOperation('/apis/', { id: 'getAPIVersions', tag: 'apis', answer: { id: `${meta}APIGroupList` } })],
  'openid/v1/jwks': [
    rootOperation('/openid/v1/jwks/', {
      id: 'getServiceAccountIssuerOpenIDKeyset',
      tag: 'openid',
      answer: 'string',
      produces: ['application/jwk-set+json'],
    }),
  ],
  version: [
    rootOperation('/version/', {
      id: 'getCodeVersion',
      tag: 'version',
      answer: { id: 'io.k8s.apimachinery.pkg.version.Info' },
      produces: ['application/json'],
    }),
  ],
}
