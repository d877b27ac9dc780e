import { componentStatuses, leases } from '../../api/generated/resources.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { madeAnswer } from '../answer/made-answer.ts'
import type { Core } from '../verbs/core.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'

/** A leader that has not renewed its lease for this long is not well. */
const staleMs = 60_000

/** The old way to ask how the control plane is: what is stored of its leaders tells, unless they are parts of this process. */
export const componentStatus =
  (withControlPlane: boolean): SubresourceHandler =>
  (core, request) => {
    const leader = (name: string) => (withControlPlane ? status(name, undefined) : leaderStatus(core, name))
    return madeAnswer(
      request,
      [leader('controller-manager'), leader('scheduler'), status('etcd-0', undefined)],
      'componentstatus',
    )
  }

function leaderStatus({ registry, clock }: Core, name: string) {
  const renewed = registry.get(leases, { namespace: 'kube-system', name: `kube-${name}` })?.spec?.renewTime
  if (!renewed) return status(name, 'no leader has ever said that it is there')
  const ageMs = clock.now() - Date.parse(renewed)
  return status(name, ageMs > staleMs ? `the leader was last heard of ${Math.round(ageMs / 1000)} s ago` : undefined)
}

const status = (name: string, problem: string | undefined) => ({
  kind: componentStatuses.kind,
  apiVersion: apiVersionOf(componentStatuses),
  metadata: { name },
  conditions: [
    problem === undefined
      ? { type: 'Healthy', status: 'True', message: 'ok' }
      : { type: 'Healthy', status: 'False', message: problem, error: problem },
  ],
})
