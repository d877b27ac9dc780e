import { apiServices } from '../../api/generated/resources.ts'
import type { Kind } from '../../api/kind.ts'
import { apiServerUser } from '../authn/user.ts'
import { ensureObject } from '../bootstrap/ensure-object.ts'
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { deleteObject, isGone } from '../verbs/delete.ts'

const label = 'kube-aggregator.kubernetes.io/automanaged'

/** Writes the APIServices of custom groups that are served here, and removes those that no longer are. */
export async function syncLocalServices(core: Core, served: Iterable<Kind>): Promise<void> {
  const kind = core.kinds.byResource(apiServices.group, apiServices.version, apiServices.plural)!
  const wanted = new Set([...served].map(({ resource: { group, version } }) => `${version}.${group}`))
  for (const name of wanted) {
    const [version = '', ...group] = name.split('.')
    if (core.registry.get(apiServices, { name })) continue
    await ensureObject(core, kind, {
      metadata: { name, labels: { [label]: 'true' } },
      spec: { group: group.join('.'), version, groupPriorityMinimum: 1000, versionPriority: 100 },
      status: {
        conditions: [
          {
            type: 'Available',
            status: 'True',
            lastTransitionTime: timeText(core.clock.now()),
            reason: 'Local',
            message: 'Local APIServices are always available',
          },
        ],
      },
    })
  }
  for (const { metadata, spec } of core.registry.list(apiServices)) {
    const name = metadata.name ?? ''
    if (metadata.labels?.[label] !== 'true' || spec?.service || wanted.has(name)) continue
    const write = {
      kind,
      subresource: '',
      namespace: '',
      user: apiServerUser,
      warnings: [],
      dryRun: false,
      options: undefined,
    }
    const deletion = {
      gracePeriodSeconds: undefined,
      orphanDependents: undefined,
      propagationPolicy: undefined,
      uid: metadata.uid,
      resourceVersion: undefined,
      dryRun: false,
    }
    await deleteObject(core, write, name, deletion).catch((error: unknown) => {
      if (!isGone(error)) throw error
    })
  }
}
