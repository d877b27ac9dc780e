import type { ParamKind, ParamRef } from '../../../api/generated/types/admissionregistration-v1.ts'
import type { LabelSelector } from '../../../api/generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject } from '../../../api/resource.ts'
import { matcherOf } from '../../../api/selector/label.ts'
import { served } from '../../verbs/core.ts'
import type { MatchContext } from '../webhook/matching.ts'

/** The parameters cannot be had: a mistake in the configuration. */
export class ParamsError extends Error {
  override name = 'ParamsError'
}

/** The objects that parametrise a policy in one binding; [undefined] when it needs none. */
export function paramsOf(
  { lookup, kinds }: MatchContext,
  kind: Frozen<ParamKind> | undefined,
  reference: Frozen<ParamRef> | undefined,
  namespace: string,
): (Frozen<KubernetesObject> | undefined)[] {
  if (!kind || !reference) return [undefined]
  const { apiVersion = '', kind: name = '' } = kind
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
  const found = kinds.byKind(group, version, name)
  if (!found) throw new ParamsError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${name}'`)
  const { resource } = found
  if (reference.namespace && !resource.namespaced)
    throw new ParamsError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const space = reference.namespace ?? namespace
  if (resource.namespaced && !space)
    throw new ParamsError("can't use namespaced paramRef to match cluster-scoped resources")
  const where = resource.namespaced ? space : ''
  const objects = reference.name
    ? [lookup.get(resource, { namespace: where, name: reference.name })]
    : lookup
        .list(resource, resource.namespaced ? space : undefined)
        .filter(({ metadata }) =>
          matcherOf((reference.selector ?? {}) as LabelSelector).matches(metadata?.labels ?? {}),
        )
  const present = objects.filter((object) => object !== undefined).map((object) => served(found, object))
  if (present.length === 0 && reference.parameterNotFoundAction !== 'Allow')
    throw new ParamsError('no params found for policy binding with `Deny` parameterNotFoundAction')
  return present
}
