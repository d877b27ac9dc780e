import { createHash } from 'node:crypto'
import type { Pod } from '../../api/generated/types/core-v1.ts'

/** Where a manifest comes from. */
export interface ManifestOrigin {
  readonly path: string
  readonly nodeName: string
  readonly nowMs: number
}

/** Makes a static pod of a manifest, in YAML or JSON. Throws when it is none. Its name ends with the node's, and its UID comes from what it says. */
export async function staticPodFrom(text: string, { path, nodeName, nowMs }: ManifestOrigin): Promise<Pod> {
  const { load } = await import('js-yaml')
  const parsed = load(text) as Pod | undefined
  if (
    parsed?.kind !== 'Pod' ||
    parsed.apiVersion !== 'v1' ||
    !parsed.metadata?.name ||
    !parsed.spec?.containers?.length
  )
    throw new Error(`${path} holds no Pod of apiVersion v1 with a name and containers`)
  const { defaultPod } = await import('./pod-defaults.ts')
  const pod = defaultPod(parsed)
  const hash = createHash('md5').update(JSON.stringify(pod)).update(nodeName).update(path).digest('hex')
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName.toLowerCase()}`,
      namespace: pod.metadata.namespace || 'default',
      uid: pod.metadata.uid || hash,
      annotations: {
        ...pod.metadata.annotations,
        'kubernetes.io/config.hash': pod.metadata.uid || hash,
        'kubernetes.io/config.seen': new Date(nowMs).toISOString(),
        'kubernetes.io/config.source': 'file',
      },
    },
    spec: {
      ...pod.spec!,
      nodeName,
      // Nothing drives it from its node.
      tolerations: [...(pod.spec!.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  }
}
