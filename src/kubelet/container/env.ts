import type { Container, EnvVar, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ObjectReader } from '../sources/object-reader.ts'
import { optionally } from '../sources/optionally.ts'
import { expand } from './expansion.ts'
import { fieldValue, type NodeFacts } from './field-ref.ts'
import { resourceValue, type Allocatable } from './resource-field.ts'
import { serviceEnv } from './service-env.ts'

/** What an environment is made of besides the spec. */
export interface EnvSources {
  readonly objects: ObjectReader
  readonly node: NodeFacts
  readonly allocatable: Allocatable
  /** The value of a key in an env file of a volume. */
  readonly fileValue: (volume: string, path: string, key: string) => Promise<string | undefined>
}

/** A container's environment. Throws when something that is not optional is missing; the text is what the pod's status shows. */
export async function containerEnv(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  sources: EnvSources,
): Promise<Record<string, string>> {
  const namespace = pod.metadata.namespace ?? ''
  const services = serviceEnv(await sources.objects.services(), namespace, pod.spec?.enableServiceLinks ?? true)
  const env: Record<string, string> = {}
  for (const from of container.envFrom ?? []) {
    const ref = from.configMapRef ?? from.secretRef
    if (!ref) continue
    const data = await optionally(ref.optional, () =>
      from.configMapRef ? configMapData(sources, namespace, ref.name) : secretData(sources, namespace, ref.name),
    )
    for (const [key, value] of Object.entries(data ?? {})) env[(from.prefix ?? '') + key] = value
  }
  for (const variable of container.env ?? []) {
    const value = variable.value
      ? expand(variable.value, (name) => env[name] ?? services[name])
      : await referred(variable, pod, container, sources)
    if (value !== undefined) env[variable.name] = value
  }
  return { ...services, ...env }
}

/** Undefined: optional and not there, so the variable is not set. */
async function referred(
  variable: Frozen<EnvVar>,
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  sources: EnvSources,
): Promise<string | undefined> {
  const from = variable.valueFrom
  const namespace = pod.metadata.namespace ?? ''
  if (!from) return ''
  if (from.fieldRef) return fieldValue(from.fieldRef.fieldPath, pod, sources.node)
  if (from.resourceFieldRef) return resourceValue(from.resourceFieldRef, pod, container, sources.allocatable)
  const ref = from.configMapKeyRef ?? from.secretKeyRef
  if (ref) {
    const kind = from.configMapKeyRef ? 'ConfigMap' : 'Secret'
    const data = await optionally(ref.optional, () =>
      from.configMapKeyRef ? configMapData(sources, namespace, ref.name) : secretData(sources, namespace, ref.name),
    )
    const value = data?.[ref.key]
    if (value === undefined && !ref.optional)
      throw new Error(`couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`)
    return value
  }
  if (from.fileKeyRef) {
    const { volumeName, path, key, optional } = from.fileKeyRef
    const value = await sources.fileValue(volumeName, path, key)
    if (value === undefined && !optional)
      throw new Error(`environment variable key "${key}" not found in file "${path}"`)
    return value
  }
  return ''
}

async function configMapData(
  sources: EnvSources,
  namespace: string,
  name: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  return (await sources.objects.configMap({ namespace, name: name ?? '' })).data ?? {}
}

async function secretData(
  sources: EnvSources,
  namespace: string,
  name: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const { data } = await sources.objects.secret({ namespace, name: name ?? '' })
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}
