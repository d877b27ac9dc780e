import { compile, type Language, type Program } from '../../../api/cel/compile.ts'
import { FunctionTable } from '../../../api/cel/functions.ts'
import { baseOverloads } from '../../../api/cel/library/base.ts'
import { bool, dyn, listOf, mapOf, objectOf, opaque, string, type CelType } from '../../../api/cel/types.ts'
import { CelMap, fromJson, type Value } from '../../../api/cel/values.ts'
import type { KubernetesObject, Frozen } from '../../../api/resource.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Attributes } from '../admission.ts'
import type { AdmissionRequest } from '../webhook/review.ts'
import { AuthorizerValue, authorizerLibrary, resourceCheck } from './authorizer-library.ts'

const kindType = objectOf('kubernetes.GroupVersionKind', { group: string, version: string, kind: string })
const resourceType = objectOf('kubernetes.GroupVersionResource', { group: string, version: string, resource: string })
const userType = objectOf('kubernetes.UserInfo', {
  username: string,
  uid: string,
  groups: listOf(string),
  extra: mapOf(string, listOf(string)),
})

/** A request as expressions see it. */
const requestType = objectOf('kubernetes.AdmissionRequest', {
  kind: kindType,
  resource: resourceType,
  subResource: string,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: userType,
  dryRun: bool,
  options: dyn,
})

const metadataType = objectOf('kubernetes.NamespaceMetadata', {
  name: string,
  generateName: string,
  namespace: string,
  labels: mapOf(string, string),
  annotations: mapOf(string, string),
  UID: string,
  creationTimestamp: { kind: 'timestamp' },
  deletionGracePeriodSeconds: { kind: 'int' },
  deletionTimestamp: { kind: 'timestamp' },
  generation: { kind: 'int' },
  resourceVersion: string,
  finalizers: listOf(string),
})

/** The namespace of a request as expressions see it. */
const namespaceType = objectOf('kubernetes.Namespace', {
  metadata: metadataType,
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(string) }),
  status: objectOf('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectOf('kubernetes.NamespaceCondition', {
        status: string,
        type: string,
        lastTransitionTime: { kind: 'timestamp' },
        message: string,
        reason: string,
      }),
    ),
    phase: string,
  }),
})

/** What an expression on requests may use besides the objects. */
export interface Uses {
  readonly params?: boolean
  readonly authorizer?: boolean
  readonly namespaceObject?: boolean
  readonly variables?: CelType | undefined
  /** The type of the objects, where it is known: for checks only. */
  readonly object?: CelType | undefined
  readonly paramsType?: CelType | undefined
  readonly objectType?: Language['objectType']
}

let functions: FunctionTable | undefined

/** The language of expressions on requests. */
export function requestLanguage({
  params,
  authorizer = true,
  namespaceObject = true,
  variables,
  object = dyn,
  paramsType = dyn,
  objectType,
}: Uses): Language {
  functions ??= new FunctionTable([...baseOverloads, ...authorizerLibrary])
  return {
    functions,
    objectType,
    variables: {
      object,
      oldObject: object,
      request: requestType,
      ...(namespaceObject && { namespaceObject: namespaceType }),
      ...(params && { params: paramsType }),
      ...(variables && { variables }),
      ...(authorizer && {
        authorizer: opaque('kubernetes.authorization.Authorizer'),
        'authorizer.requestResource': opaque('kubernetes.authorization.ResourceCheck'),
      }),
    },
  }
}

/** Compiles an expression on requests. */
export const compileForRequests = (source: string, uses: Uses): Program => compile(source, requestLanguage(uses))

/** What one request gives to expressions. */
export interface RequestValues {
  readonly object: Value
  readonly oldObject: Value
  readonly request: () => Value
  readonly namespaceObject: () => Value
  readonly authorizer: () => Value
  readonly 'authorizer.requestResource': () => Value
  readonly [name: string]: Value | (() => Value)
}

/** Puts the values together. */
export function requestValues(
  attributes: Attributes,
  request: AdmissionRequest,
  { authorizer, namespace }: { authorizer: Authorizer; namespace: Frozen<KubernetesObject> | undefined },
): RequestValues {
  const asked = new AuthorizerValue(authorizer, attributes.user)
  const { kind, subresource, namespace: space, name } = attributes
  const { object, oldObject, ...rest } = request
  let shown: Value | undefined
  return {
    object: fromJson(object ?? null),
    oldObject: fromJson(oldObject ?? null),
    request: () => (shown ??= CelMap.ofJson(rest as unknown as Record<string, unknown>, requestType)),
    namespaceObject: () =>
      namespace ? CelMap.ofJson(namespace as unknown as Record<string, unknown>, namespaceType) : null,
    authorizer: () => asked,
    'authorizer.requestResource': () =>
      resourceCheck(asked, {
        group: kind.resource.group,
        resource: kind.resource.plural,
        subresource,
        namespace: space,
        name,
      }),
  }
}
