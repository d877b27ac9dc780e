import { pods, serviceAccounts } from '../../api/generated/resources.ts'
import type { Container, Pod, ServiceAccount, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import { nameSuffix } from '../../base/random.ts'
import { podReferences } from '../authz/pod-references.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'

const volumeName = 'kube-api-access'
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
/** How often, and how far apart, the default account of a new namespace is looked for: its controller may be about to make it. */
const defaultAttempts = 10
const attemptMs = 100

/** Every pod runs as a service account, whose token is in its containers unless somebody does not want it there. */
export function serviceAccountPlugin(lookup: Lookup, { clock, random }: Deps): AdmissionPlugin {
  const find = async (namespace: string, name: string) => {
    for (let attempt = 0; ; attempt++) {
      const account = lookup.get(serviceAccounts, { namespace, name })
      if (account || name !== 'default' || attempt >= defaultAttempts) return account
      await clock.sleep(attemptMs * (1 + random.number()))
    }
  }
  return {
    name: 'ServiceAccount',
    handles: (operation, kind, subresource) =>
      isResource(kind, pods) &&
      ((operation === 'CREATE' && subresource === '') ||
        (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
    admit(attributes) {
      const pod = attributes.object as Pod
      if (attributes.operation !== 'CREATE') return
      if (isMirror(pod)) return checkMirror(attributes, pod)
      const spec = (pod.spec ??= { containers: [] })
      spec.serviceAccountName ||= 'default'
      spec.serviceAccount = spec.serviceAccountName
      const known = lookup.get(serviceAccounts, { namespace: attributes.namespace, name: spec.serviceAccountName })
      if (known) return apply(attributes, pod, known, random)
      return find(attributes.namespace, spec.serviceAccountName).then((account) =>
        apply(attributes, pod, account, random),
      )
    },
    validate(attributes) {
      const pod = attributes.object as Pod
      if (attributes.operation === 'CREATE' && isMirror(pod)) return checkMirror(attributes, pod)
      const account = lookup.get(serviceAccounts, {
        namespace: attributes.namespace,
        name: pod.spec?.serviceAccountName ?? '',
      })
      if (attributes.operation === 'CREATE' && !account) throw missing(attributes, pod)
      if (account?.metadata?.annotations?.['kubernetes.io/enforce-mountable-secrets'] === 'true')
        checkSecrets(attributes, pod, account)
    },
  }
}

const isMirror = (pod: Pod): boolean => pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined

function missing(attributes: Attributes, pod: Pod) {
  const name = pod.spec?.serviceAccountName ?? ''
  return refusal(
    attributes,
    `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
  )
}

function apply(
  attributes: Attributes,
  pod: Pod,
  account: Frozen<ServiceAccount> | undefined,
  random: Deps['random'],
): void {
  if (!account) throw missing(attributes, pod)
  const spec = pod.spec!
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random)
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ ...(name && { name }) }))
}

function mountToken(spec: NonNullable<Pod['spec']>, random: Deps['random']): void {
  const present = spec.volumes?.find(({ name }) => name.startsWith(`${volumeName}-`))
  const name = present?.name ?? `${volumeName}-${nameSuffix(random)}`
  let needed = false
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue
    ;(container.volumeMounts ??= []).push({ name, readOnly: true, mountPath })
    needed = true
  }
  if (!present && needed) (spec.volumes ??= []).push(tokenVolume(name))
}

/** The seconds mean: warn, but do not fail, when the token is used after that. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 420,
  },
})

function checkMirror(attributes: Attributes, pod: Pod): void {
  if (pod.spec?.serviceAccountName) throw refusal(attributes, 'a mirror pod may not reference service accounts')
  const { ['kubernetes.io/config.mirror']: _mirror, ...annotations } = pod.metadata?.annotations ?? {}
  const references = podReferences({ ...pod, metadata: { ...pod.metadata, annotations } } as Frozen<Pod>)
  if ([...references].some((reference) => reference.startsWith('secret/')))
    throw refusal(attributes, 'a mirror pod may not reference secrets')
  if (
    pod.spec?.volumes?.some(({ projected }) =>
      projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
    )
  ) {
    throw refusal(attributes, 'a mirror pod may not use ServiceAccountToken volume projections')
  }
}

function checkSecrets(attributes: Attributes, pod: Pod, account: Frozen<ServiceAccount>): void {
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name))
  const pull = new Set((account.imagePullSecrets ?? []).map(({ name }) => name))
  const reference = `because service account ${account.metadata!.name} does not reference that`
  for (const { secret } of pod.spec?.volumes ?? []) {
    if (secret?.secretName && !mountable.has(secret.secretName))
      throw refusal(
        attributes,
        `volume with secret.secretName="${secret.secretName}" is not allowed ${reference} secret`,
      )
  }
  const check = (what: string, { name, env, envFrom }: Pick<Container, 'name' | 'env' | 'envFrom'>) => {
    for (const { name: variable, valueFrom } of env ?? []) {
      const secret = valueFrom?.secretKeyRef?.name
      if (secret && !mountable.has(secret))
        throw refusal(
          attributes,
          `${what} ${name} with envVar ${variable} referencing secret.secretName="${secret}" is not allowed ${reference} secret`,
        )
    }
    for (const { secretRef } of envFrom ?? []) {
      if (secretRef?.name && !mountable.has(secretRef.name))
        throw refusal(
          attributes,
          `${what} ${name} with envFrom referencing secret.secretName="${secretRef.name}" is not allowed ${reference} secret`,
        )
    }
  }
  for (const container of pod.spec?.initContainers ?? []) check('init container', container)
  for (const container of pod.spec?.containers ?? []) check('container', container)
  for (const container of pod.spec?.ephemeralContainers ?? []) check('ephemeral container', container)
  pod.spec?.imagePullSecrets?.forEach(({ name }, i) => {
    if (!pull.has(name))
      throw refusal(attributes, `imagePullSecrets[${i}].name="${name}" is not allowed ${reference} imagePullSecret`)
  })
}
