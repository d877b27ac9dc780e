import { notFound } from '../../api/errors/api-error.ts'
import { componentStatuses, leases } from '../../api/generated/resources.ts'
import { apiVersionOf, type KubernetesObject } from '../../api/resource.ts'
import { valueAnswer, type Answer } from '../answer/answer.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { Core } from '../verbs/core.ts'

/** A leader that has not renewed its lease for this long is not well. */
const staleMs = 60_000

/** The old way to ask how the control plane is: what is stored of its leaders tells. */
export function componentStatus(core: Core, { info }: ResourceRequest): Answer {
  const all = [
    leaderStatus(core, 'controller-manager', 'kube-controller-manager'),
    leaderStatus(core, 'scheduler', 'kube-scheduler'),
    status('etcd-0', undefined),
  ]
  if (info.verb === 'list')
    return valueAnswer({
      kind: 'ComponentStatusList',
      apiVersion: 'v1',
      metadata: {},
      items: all.map(({ kind: _kind, apiVersion: _version, ...item }) => item),
    } as KubernetesObject)
  const found = all.find(({ metadata }) => metadata.name === info.name)
  if (!found) throw notFound({ group: '', plural: 'componentstatus' }, info.name)
  return valueAnswer(found)
}

function leaderStatus({ registry, clock }: Core, name: string, lease: string) {
  const renewed = registry.get(leases, { namespace: 'kube-system', name: lease })?.spec?.renewTime
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
