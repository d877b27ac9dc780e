import { pods, replicaSets } from '../../api/generated/resources.ts'
import type { ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf } from '../../client/object.ts'
import { defineController, done, ownedBy, type Context, type Outcome } from '../framework/controller.ts'
import { selects } from '../../api/selector/label-selector.ts'
import { reconcilePodSet } from './pod-set.ts'

/** Keeps as many Pods as a ReplicaSet asks for. */
export const replicaSetController = defineController<ReplicaSet>({
  name: 'replicaset-controller',
  reconciles: replicaSets,
  watches: [ownedBy(replicaSets, pods, { adopts: (set, pod) => selects(set.spec?.selector, labelsOf(pod)) })],
  events: ['SuccessfulCreate', 'FailedCreate', 'SuccessfulDelete', 'FailedDelete'],
  parallel: 5,
  reconcile,
})

async function reconcile(rs: Frozen<ReplicaSet>, c: Context<ReplicaSet>): Promise<Outcome> {
  const { spec } = rs
  if (!spec) return done
  return reconcilePodSet(
    rs,
    replicaSets,
    {
      replicas: spec.replicas ?? 1,
      minReadySeconds: spec.minReadySeconds ?? 0,
      template: spec.template ?? {},
      matches: (labels) => selects(spec.selector, labels),
      status: rs.status,
      countsTerminating: true,
    },
    c,
  )
}
