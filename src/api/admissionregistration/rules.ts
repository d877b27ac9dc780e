import type { RuleWithOperations } from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'

const operationsKnown = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

/** Which requests something applies to. */
export function checkRule(
  { operations, apiGroups, apiVersions, resources, scope }: Frozen<RuleWithOperations>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkList(operations, 'operations', at.child('operations'), errors)
  operations?.forEach((operation, i) => {
    if (!operationsKnown.includes(operation))
      errors.notSupported(at.child('operations').index(i), operation, operationsKnown)
  })
  checkList(apiGroups, 'API groups', at.child('apiGroups'), errors)
  checkList(apiVersions, 'API versions', at.child('apiVersions'), errors)
  apiVersions?.forEach((version, i) => {
    if (!version) errors.required(at.child('apiVersions').index(i))
  })
  checkResources(resources ?? [], at.child('resources'), errors)
  if (scope !== undefined && !scopes.includes(scope)) errors.notSupported(at.child('scope'), scope, scopes)
}

function checkList(list: readonly string[] | undefined, what: string, at: FieldPath, errors: FieldErrors): void {
  if (!list?.length) errors.required(at)
  else if (list.length > 1 && list.includes('*'))
    errors.invalid(at, list, `if '*' is present, must not specify other ${what}`)
}

/** Resources and subresources, where what `*` covers must not be named besides. */
function checkResources(resources: readonly string[], at: FieldPath, errors: FieldErrors): void {
  if (resources.length === 0) errors.required(at)
  const wholly = new Set<string>()
  const everywhere = new Set<string>()
  let plainIsLast = false
  resources.forEach((resource, i) => {
    if (!resource) return errors.required(at.index(i))
    const slash = resource.indexOf('/')
    if (slash < 0) {
      plainIsLast = resource !== '*'
      return
    }
    const [name, part] = [resource.slice(0, slash), resource.slice(slash + 1)]
    if (wholly.has(name))
      errors.invalid(at.index(i), resource, `if '${name}/*' is present, must not specify ${resource}`)
    if (everywhere.has(part))
      errors.invalid(at.index(i), resource, `if '*/${part}' is present, must not specify ${resource}`)
    if (part === '*') wholly.add(name)
    if (name === '*') everywhere.add(part)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    errors.invalid(at, resources, "if '*/*' is present, must not specify other resources")
  if (resources.includes('*') && plainIsLast)
    errors.invalid(at, resources, "if '*' is present, must not specify other resources without subresources")
}

/** A rule that says nothing of scopes means all. */
export function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}
