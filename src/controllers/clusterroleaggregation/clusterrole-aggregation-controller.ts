import { clusterRoles } from '../../api/generated/resources.ts'
import type { ClusterRole, PolicyRule } from '../../api/generated/types/rbac-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, nameOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'
import { canonicalJson, same } from '../framework/equality.ts'
import { selects } from '../../api/selector/label-selector.ts'

/** Puts the rules of all ClusterRoles that an aggregating one selects into it. */
export const clusterRoleAggregationController = defineController<ClusterRole>({
  name: 'clusterrole-aggregation-controller',
  reconciles: clusterRoles,
  watches: [
    watch(clusterRoles, (_role, { informers }) =>
      informers
        .of(clusterRoles)
        .list()
        .filter(({ aggregationRule }) => aggregationRule)
        .map(nameOf),
    ),
  ],
  parallel: 5,
  reconcile,
})

async function reconcile(role: Frozen<ClusterRole>, c: Context<ClusterRole>): Promise<Outcome> {
  if (!role.aggregationRule || isBeingDeleted(role)) return done
  const rules = aggregated(role, c.of(clusterRoles).list())
  if (same(rules, role.rules ?? [])) return done
  // Applied, so that the author of the rest can apply it without taking the rules away.
  const applied: Frozen<ClusterRole> = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: nameOf(role) },
    rules,
  }
  await c.client.apply(clusterRoles, applied, { fieldManager: 'clusterrole-aggregation-controller', force: true })
  return done
}

/** Objects never change, so their text is made once. */
const texts = new WeakMap<object, string>()

function textOf(rule: Frozen<PolicyRule>): string {
  const text = texts.get(rule) ?? canonicalJson(rule)
  texts.set(rule, text)
  return text
}

/** The rules of every role that the aggregation selects, by name of the role, each once. */
export function aggregated(role: Frozen<ClusterRole>, all: readonly Frozen<ClusterRole>[]): Frozen<PolicyRule>[] {
  const rules = new Map<string, Frozen<PolicyRule>>()
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const chosen = all.filter((other) => nameOf(other) !== nameOf(role) && selects(selector, labelsOf(other)))
    for (const other of chosen.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)))
      for (const rule of other.rules ?? []) rules.set(textOf(rule), rule)
  }
  return [...rules.values()]
}
