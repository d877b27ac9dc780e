import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import {
  dnsSubdomainErrors,
  isConfigMapKey,
  isEnvVarName,
  isLabel,
  isQualifiedName,
  isSubdomain,
} from '../../validation/names.ts'
import { nanos } from '../../validation/quantities.ts'
import { checkNoBacksteps } from './paths.ts'

const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
/** What the downward API knows of a Pod. */
const podFields = new Set([
  ...envFields,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
])
const sizes = new Set(['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'])

/** Variables of the environment. */
export function checkEnv(variables: Frozen<EnvVar[]> | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!variables) return
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i]
    if (!variable) continue
    if (!variable.name) errors.required(at.index(i).child('name'))
    else for (const text of isEnvVarName(variable.name)) errors.invalid(at.index(i).child('name'), variable.name, text)
    if (variable.valueFrom) checkValueFrom(variable.valueFrom, variable.value, at.index(i).child('valueFrom'), errors)
  }
}

function checkValueFrom(
  source: Frozen<EnvVarSource>,
  value: string | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  let sources = 0
  if (source.fieldRef && ++sources) checkFieldRef(source.fieldRef, envFields, at.child('fieldRef'), errors)
  if (source.resourceFieldRef && ++sources)
    checkResourceFieldRef(source.resourceFieldRef, false, at.child('resourceFieldRef'), errors)
  if (source.configMapKeyRef && ++sources) checkKeyRef(source.configMapKeyRef, at.child('configMapKeyRef'), errors)
  if (source.secretKeyRef && ++sources) checkKeyRef(source.secretKeyRef, at.child('secretKeyRef'), errors)
  if (source.fileKeyRef && ++sources) checkFileKeyRef(source.fileKeyRef, at.child('fileKeyRef'), errors)
  if (sources === 0)
    errors.invalid(
      at,
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    )
  else if (value) errors.invalid(at, '', 'may not be specified when `value` is not empty')
  else if (sources > 1) errors.invalid(at, '', 'may not have more than one field specified at a time')
}

/** A field of the Pod itself. `supported` are the fields that may be asked for without a subscript. */
export function checkFieldRef(
  { apiVersion, fieldPath }: Frozen<ObjectFieldSelector>,
  supported: readonly string[],
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!apiVersion) return errors.required(at.child('apiVersion'))
  if (!fieldPath) return errors.required(at.child('fieldPath'))
  if (apiVersion !== 'v1')
    return errors.invalid(
      at.child('fieldPath'),
      fieldPath,
      `error converting fieldPath: unsupported pod version: ${apiVersion}`,
    )
  const [, path, subscript] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? []
  if (path !== undefined && subscript !== undefined) {
    if (path !== 'metadata.annotations' && path !== 'metadata.labels') {
      return errors.invalid(
        at.child('fieldPath'),
        fieldPath,
        `error converting fieldPath: field label does not support subscript: ${fieldPath}`,
      )
    }
    for (const text of isQualifiedName(path === 'metadata.annotations' ? subscript.toLowerCase() : subscript))
      errors.invalid(at, subscript, text)
    return
  }
  if (!podFields.has(fieldPath))
    errors.invalid(
      at.child('fieldPath'),
      fieldPath,
      `error converting fieldPath: field label not supported: ${fieldPath}`,
    )
  else if (!supported.includes(fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath))
    errors.notSupported(at.child('fieldPath'), fieldPath, supported)
}

/** A container's requests or limits; a volume must name the container. */
export function checkResourceFieldRef(
  { containerName, resource = '', divisor }: Frozen<ResourceFieldSelector>,
  volume: boolean,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const pages = resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-')
  if (volume && !containerName) errors.required(at.child('containerName'))
  else if (!resource) errors.required(at.child('resource'))
  else if (!pages && !resourceFields.includes(resource))
    errors.notSupported(at.child('resource'), resource, resourceFields)
  if (!divisor || nanos(divisor) === 0n) return
  const kind = resource.slice(resource.indexOf('.') + 1)
  if (kind === 'cpu') {
    if (resourceFields.includes(resource) && divisor !== '1m' && divisor !== '1')
      errors.invalid(
        at.child('divisor'),
        resource,
        "only divisor's values 1m and 1 are supported with the cpu resource",
      )
  } else if ((pages || resourceFields.includes(resource)) && !sizes.has(divisor)) {
    const what = pages ? 'hugepages' : kind === 'memory' ? 'memory' : 'local ephemeral storage'
    errors.invalid(
      at.child('divisor'),
      resource,
      `only divisor's values ${[...sizes].join(', ')} are supported with the ${what} resource`,
    )
  }
}

function checkKeyRef({ name = '', key }: Frozen<ConfigMapKeySelector>, at: FieldPath, errors: FieldErrors): void {
  for (const text of isSubdomain(name)) errors.invalid(at.child('name'), name, text)
  if (!key) errors.required(at.child('key'))
  else for (const text of isConfigMapKey(key)) errors.invalid(at.child('key'), key, text)
}

function checkFileKeyRef({ key, volumeName, path }: Frozen<FileKeySelector>, at: FieldPath, errors: FieldErrors): void {
  if (!key) errors.required(at.child('key'))
  else for (const text of isEnvVarName(key)) errors.invalid(at.child('key'), key, text)
  if (!volumeName) errors.required(at.child('volumeName'))
  else for (const text of isLabel(volumeName)) errors.invalid(at.child('volumeName'), volumeName, text)
  if (!path) errors.required(at.child('path'))
  else checkNoBacksteps(path, at.child('path'), errors)
}

/** Whole ConfigMaps and Secrets as environment. */
export function checkEnvFrom(sources: Frozen<EnvFromSource[]> | undefined, at: FieldPath, errors: FieldErrors): void {
  sources?.forEach(({ prefix, configMapRef, secretRef }, i) => {
    if (prefix) for (const text of isEnvVarName(prefix)) errors.invalid(at.index(i).child('prefix'), prefix, text)
    for (const [part, ref] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      if (!ref) continue
      if (!ref.name) errors.required(at.index(i).child(part, 'name'))
      else
        for (const text of dnsSubdomainErrors(ref.name, true))
          errors.invalid(at.index(i).child(part, 'name'), ref.name, text)
    }
    if (!configMapRef && !secretRef) errors.invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`')
    else if (configMapRef && secretRef) errors.invalid(at, '', 'may not have more than one field specified at a time')
  })
}
