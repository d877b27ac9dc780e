import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  VolumeProjection,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { fieldValue, type NodeFacts } from '../container/field-ref.ts'
import { resourceValue, type Allocatable } from '../container/resource-field.ts'
import type { ObjectReader } from '../sources/object-reader.ts'
import { optionally } from '../sources/optionally.ts'
import type { Payload, PayloadFile } from './atomic-writer.ts'
import type { TokenSource } from './token-source.ts'

/** What volumes of configuration are made from. */
export interface PayloadSources {
  readonly pod: Frozen<Pod>
  readonly objects: ObjectReader
  readonly tokens: TokenSource
  readonly node: NodeFacts
  readonly allocatable: Allocatable
  /** The user whom all containers of the pod run as, when they agree. */
  readonly user: number | undefined
}

/** What all files of a source have in common. */
interface Common {
  readonly items?: readonly Frozen<KeyToPath>[] | undefined
  readonly mode: number
  readonly optional?: boolean | undefined
}

const fileModeDefault = 0o644

/** A configMap volume's files. */
export async function configMapPayload(
  name: string,
  common: Partial<Common>,
  sources: PayloadSources,
): Promise<Payload> {
  const found = await optionally<Frozen<ConfigMap>>(common.optional, () =>
    sources.objects.configMap({ namespace: sources.pod.metadata.namespace, name }),
  )
  const data = new Map<string, Uint8Array>()
  for (const [key, text] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'))
  return pick(data, { mode: fileModeDefault, ...common }, 'configmap references non-existent config key')
}

/** A secret volume's files. */
export async function secretPayload(name: string, common: Partial<Common>, sources: PayloadSources): Promise<Payload> {
  const found = await optionally<Frozen<Secret>>(common.optional, () =>
    sources.objects.secret({ namespace: sources.pod.metadata.namespace, name }),
  )
  const data = new Map(Object.entries(found?.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]))
  return pick(data, { mode: fileModeDefault, ...common }, 'references non-existent secret key')
}

/** A downwardAPI volume's files. */
export function downwardPayload(
  items: readonly Frozen<DownwardAPIVolumeFile>[],
  mode: number | undefined,
  sources: PayloadSources,
): Payload {
  const { pod, node, allocatable } = sources
  const files = new Map<string, PayloadFile>()
  for (const item of items) {
    const text = item.fieldRef
      ? fieldValue(item.fieldRef.fieldPath, pod, node)
      : item.resourceFieldRef
        ? resourceValue(item.resourceFieldRef, pod, undefined, allocatable)
        : ''
    files.set(clean(item.path), { bytes: Buffer.from(text), mode: item.mode ?? mode ?? fileModeDefault })
  }
  return files
}

/** A projected volume's files: all sources together. */
export async function projectedPayload(
  projections: readonly Frozen<VolumeProjection>[],
  mode: number | undefined,
  sources: PayloadSources,
): Promise<Payload> {
  const all = new Map<string, PayloadFile>()
  for (const projection of projections) {
    for (const [path, file] of await projectionPayload(projection, mode ?? fileModeDefault, sources))
      all.set(path, file)
  }
  return all
}

async function projectionPayload(
  projection: Frozen<VolumeProjection>,
  mode: number,
  sources: PayloadSources,
): Promise<Payload> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection
  if (configMap)
    return configMapPayload(
      configMap.name ?? '',
      { items: configMap.items, mode, optional: configMap.optional },
      sources,
    )
  if (secret) return secretPayload(secret.name ?? '', { items: secret.items, mode, optional: secret.optional }, sources)
  if (downwardAPI) return downwardPayload(downwardAPI.items ?? [], mode, sources)
  if (serviceAccountToken) {
    const { audience, expirationSeconds = 3600, path } = serviceAccountToken
    const token = await sources.tokens.token({ pod: sources.pod, audience, expirationSeconds })
    // A token is nobody else's: its owner is the one who runs, or the group has it through fsGroup.
    const narrow = sources.user !== undefined || sources.pod.spec?.securityContext?.fsGroup !== undefined
    return new Map([[clean(path), { bytes: Buffer.from(token), mode: narrow ? 0o600 : mode, uid: sources.user }]])
  }
  throw new Error('a projected volume has a source that this node does not support')
}

/** `a//b/` → 'a/b' */
const clean = (path: string) =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')

function pick(data: ReadonlyMap<string, Uint8Array>, { items, mode, optional }: Common, missing: string): Payload {
  if (!items?.length) return new Map([...data].map(([key, bytes]) => [key, { bytes, mode }]))
  const files = new Map<string, PayloadFile>()
  for (const item of items) {
    const bytes = data.get(item.key)
    if (bytes) files.set(clean(item.path), { bytes, mode: item.mode ?? mode })
    else if (!optional) throw new Error(`${missing}: ${item.key}`)
  }
  return files
}
