import { pods, replicationControllers } from '../../api/generated/resources.ts'
import type { ReplicationController } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf } from '../../client/object.ts'
import { defineController, done, ownedBy, type Context, type Outcome } from '../framework/controller.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'
import { reconcilePodSet } from '../replicaset/pod-set.ts'

/** Keeps as many Pods as a ReplicationController asks for: what ReplicaSets grew out of. */
export const replicationControllerController = defineController<ReplicationController>({
  name: 'replicationcontroller-controller',
  component: 'replication-controller',
  reconciles: replicationControllers,
  watches: [
    ownedBy(replicationControllers, pods, { adopts: (owner, pod) => selectsMap(owner.spec?.selector, labelsOf(pod)) }),
  ],
  events: ['SuccessfulCreate', 'FailedCreate', 'SuccessfulDelete', 'FailedDelete'],
  parallel: 5,
  reconcile,
})

async function reconcile(rc: Frozen<ReplicationController>, c: Context<ReplicationController>): Promise<Outcome> {
  const { spec } = rc
  if (!spec) return done
  return reconcilePodSet(
    rc,
    replicationControllers,
    {
      replicas: spec.replicas ?? 1,
      minReadySeconds: spec.minReadySeconds ?? 0,
      template: spec.template ?? {},
      matches: (labels) => selectsMap(spec.selector, labels),
      status: rc.status,
      countsTerminating: false,
    },
    c,
  )
}
