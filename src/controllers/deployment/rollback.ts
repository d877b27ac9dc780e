import { deployments } from '../../api/generated/resources.ts'
import type { Deployment } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, nameOf } from '../../client/object.ts'
import { done, type Context, type Outcome } from '../framework/controller.ts'
import {
  compareRevisions,
  parseRevision,
  revisionOf,
  rollbackToAnnotation,
  rolledBackAnnotations,
} from './annotations.ts'
import { allOf, sameTemplate, withoutHash, type View } from './replica-sets.ts'

type C = Context<Deployment>

/** Goes back to an earlier revision, asked for by the annotation that clients of old API versions leave; kubectl writes the old template itself. */
export async function rollBack(view: View, c: C): Promise<Outcome> {
  const { deployment } = view
  const asked = parseRevision(annotationsOf(deployment)[rollbackToAnnotation] ?? '')
  const revision = asked === 0n ? lastRevision(view) : asked
  if (!revision) return giveUp(deployment, 'DeploymentRollbackRevisionNotFound', 'Unable to find last revision.', c)
  const target = allOf(view).find((rs) => revisionOf(rs) === revision)
  if (!target)
    return giveUp(deployment, 'DeploymentRollbackRevisionNotFound', 'Unable to find the revision to rollback to.', c)
  if (sameTemplate(deployment.spec?.template, target.spec?.template)) {
    return giveUp(
      deployment,
      'DeploymentRollbackTemplateUnchanged',
      `The rollback revision contains the same template as current deployment "${nameOf(deployment)}"`,
      c,
    )
  }
  if (!deployment.spec) return done
  const annotations = rolledBackAnnotations(deployment, target)
  c.wroteSelf(
    await c.client.update(deployments, {
      ...deployment,
      metadata: { ...deployment.metadata, annotations },
      spec: { ...deployment.spec, template: withoutHash(target.spec?.template) },
    }),
  )
  c.event(
    deployment,
    'Normal',
    'DeploymentRollback',
    `Rolled back deployment "${nameOf(deployment)}" to revision ${revision}`,
  )
  return done
}

/** The revision before the newest. */
function lastRevision(view: View): bigint {
  return allOf(view).map(revisionOf).sort(compareRevisions).at(-2) ?? 0n
}

async function giveUp(deployment: Frozen<Deployment>, reason: string, message: string, c: C): Promise<Outcome> {
  c.event(deployment, 'Warning', reason, message)
  const { [rollbackToAnnotation]: _, ...annotations } = annotationsOf(deployment)
  c.wroteSelf(await c.client.update(deployments, { ...deployment, metadata: { ...deployment.metadata, annotations } }))
  return done
}
