import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkLabelSelector } from '../../validation/labels.ts'
import { isQualifiedName, isSubdomain } from '../../validation/names.ts'
import { checkSignerName, isKubernetesSigner } from '../../validation/signer-names.ts'
import { checkFieldRef, checkResourceFieldRef } from './env.ts'
import { checkFileMode, checkLocalPath } from './paths.ts'
import type { PodRules } from './rules.ts'

const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']

/** One key of a ConfigMap or Secret as a file. */
export function checkKeyToPath({ key, path = '', mode }: Frozen<KeyToPath>, at: FieldPath, errors: FieldErrors): void {
  if (!key) errors.required(at.child('key'))
  if (!path) errors.required(at.child('path'))
  checkLocalPath(path, at.child('path'), errors)
  checkFileMode(mode, at.child('mode'), errors)
}

/** One field of the Pod as a file. */
export function checkDownwardFile(
  { path = '', fieldRef, resourceFieldRef, mode }: Frozen<DownwardAPIVolumeFile>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!path) errors.required(at.child('path'))
  checkLocalPath(path, at.child('path'), errors)
  if (fieldRef) {
    checkFieldRef(fieldRef, volumeFields, at.child('fieldRef'), errors)
    if (resourceFieldRef)
      errors.invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  } else if (resourceFieldRef) checkResourceFieldRef(resourceFieldRef, true, at.child('resourceFieldRef'), errors)
  else errors.required(at, 'one of fieldRef and resourceFieldRef is required')
  checkFileMode(mode, at.child('mode'), errors)
}

/** Several sources in one folder: no path may come from two. */
export function checkProjected(
  volume: Frozen<ProjectedVolumeSource>,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  checkFileMode(volume.defaultMode, at.child('defaultMode'), errors)
  const paths = new Set<string>()
  const claim = (path: string, shown: string) => {
    if (paths.has(path)) errors.invalid(at, shown, 'conflicting duplicate paths')
    paths.add(path)
  }
  volume.sources?.forEach((source, i) => {
    const path = at.child('sources').index(i)
    let sources = 0
    for (const part of ['secret', 'configMap'] as const) {
      const keys = source[part]
      if (!keys) continue
      sources++
      if (!keys.name) errors.required(path.child(part, 'name'))
      keys.items?.forEach((item, j) => {
        checkKeyToPath(item, path.child(part, 'items').index(j), errors)
        if (item.path) claim(item.path, keys.name ?? '')
      })
    }
    if (source.downwardAPI) {
      sources++
      for (const file of source.downwardAPI.items ?? []) {
        checkDownwardFile(file, path.child('downwardAPI'), errors)
        if (file.path) claim(file.path, file.path)
      }
    }
    if (source.serviceAccountToken) {
      sources++
      const { expirationSeconds = 0, path: tokenPath = '' } = source.serviceAccountToken
      checkTokenLifetime(expirationSeconds, path.child('serviceAccountToken', 'expirationSeconds'), errors)
      // Upstream names the volume here, not the source.
      checkTokenPath(tokenPath, at.child('path'), errors, rules)
    }
    if (source.clusterTrustBundle) {
      sources++
      checkTrustBundle(source.clusterTrustBundle, path.child('clusterTrustBundle'), errors)
      claim(source.clusterTrustBundle.path ?? '', source.clusterTrustBundle.path ?? '')
    }
    if (source.podCertificate) {
      sources++
      checkCertificate(source.podCertificate, path.child('podCertificate'), errors, claim)
    }
    if (sources > 1) errors.forbidden(path, 'may not specify more than 1 volume type per source')
  })
}

function checkTokenLifetime(seconds: number, at: FieldPath, errors: FieldErrors): void {
  if (seconds < 600) errors.invalid(at, seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) errors.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')
}

function checkTokenPath(path: string, at: FieldPath, errors: FieldErrors, rules: PodRules): void {
  if (!path) errors.required(at)
  else if (!rules.anyTokenPath) checkLocalPath(path, at, errors)
}

function checkTrustBundle(bundle: Frozen<ClusterTrustBundleProjection>, at: FieldPath, errors: FieldErrors): void {
  const { name, signerName, labelSelector, path = '' } = bundle
  if (name !== undefined && signerName !== undefined)
    errors.invalid(at, bundle, 'only one of name and signerName may be used')
  else if (name !== undefined) {
    if (!name) errors.required(at.child('name'), 'must be a valid object name')
    for (const text of isSubdomain(name.slice(name.lastIndexOf(':') + 1)))
      errors.invalid(at.child('name'), name, `not a valid clustertrustbundlename: ${text}`)
    if (labelSelector)
      errors.invalid(at.child('labelSelector'), labelSelector, 'labelSelector must be unset if name is specified')
  } else if (signerName !== undefined) {
    if (!signerName) errors.required(at.child('signerName'), 'must be a valid signer name')
    checkSignerName(signerName, at.child('signerName'), errors)
    checkLabelSelector(labelSelector, at.child('labelSelector'), errors)
  } else errors.required(at, 'either name or signerName must be specified')
  if (!path) errors.required(at.child('path'))
  checkLocalPath(path, at.child('path'), errors)
}

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const day = 86_400

function checkCertificate(
  certificate: Frozen<PodCertificateProjection>,
  at: FieldPath,
  errors: FieldErrors,
  claim: (path: string, shown: string) => void,
): void {
  const { signerName = '', keyType = '', maxExpirationSeconds: seconds, userAnnotations } = certificate
  checkSignerName(signerName, at.child('signerName'), errors)
  for (const key in userAnnotations) {
    const wrong = isQualifiedName(key.toLowerCase())
    for (const text of wrong) errors.invalid(at.child('userAnnotations'), key, text)
    if (!wrong.length && !key.includes('/'))
      errors.invalid(at.child('userAnnotations'), key, 'must be a domain-prefixed key (such as "acme.io/foo")')
  }
  if (!keyTypes.includes(keyType)) errors.notSupported(at.child('keyType'), keyType, keyTypes)
  if (seconds !== undefined) {
    const longest = isKubernetesSigner(signerName) ? day : 91 * day
    if (seconds < 3600)
      errors.invalid(at.child('maxExpirationSeconds'), seconds, 'if provided, maxExpirationSeconds must be >= 3600')
    if (seconds > longest)
      errors.invalid(
        at.child('maxExpirationSeconds'),
        seconds,
        `if provided, maxExpirationSeconds must be <= ${longest}`,
      )
  }
  let paths = 0
  for (const name of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const path = certificate[name]
    if (!path) continue
    paths++
    checkLocalPath(path, at.child(name), errors)
    claim(path, path)
  }
  if (!paths) errors.required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
}
