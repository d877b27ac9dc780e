import { ApiError, isAlreadyExists } from '../../api/errors/api-error.ts'
import { configMaps, namespaces } from '../../api/generated/resources.ts'
import type { ConfigMap, Namespace } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, nameOf, namespaceOf } from '../../client/object.ts'
import { isNamespaceTerminating } from '../framework/context.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'

const name = 'kube-root-ca.crt'
const descriptionAnnotation = 'kubernetes.io/description'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Puts the certificate that pods check the API server's against into every namespace. */
export const rootCaCertificatePublisher = defineController<Namespace>({
  name: 'root-ca-certificate-publisher-controller',
  reconciles: namespaces,
  watches: [watch(configMaps, (map) => (nameOf(map) === name ? [namespaceOf(map)] : []))],
  parallel: 5,
  reconcile,
})

async function reconcile(namespace: Frozen<Namespace>, c: Context<Namespace>): Promise<Outcome> {
  const { rootCa } = c.options
  if (rootCa === undefined || isBeingDeleted(namespace) || namespace.status?.phase === 'Terminating') return done
  const key = { namespace: nameOf(namespace), name }
  const data = { 'ca.crt': rootCa }
  const current = c.of(configMaps).get(key)
  try {
    if (!current)
      await c.client.create(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...key, annotations: { [descriptionAnnotation]: description } },
        data,
      })
    else if (!same(current.data, data) || annotationsOf(current)[descriptionAnnotation] !== description)
      await c.client.update(configMaps, repaired(current, data))
    syncs(c).add({ code: '200' })
  } catch (error) {
    syncs(c).add({ code: String(error instanceof ApiError ? error.code : 500) })
    if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
  }
  return done
}

const syncs = (c: Context<Namespace>) =>
  c.metrics.counter(
    'root_ca_cert_publisher_sync_total',
    'Number of namespace syncs happened in root ca cert publisher.',
  )

const repaired = (current: Frozen<ConfigMap>, data: Record<string, string>): Frozen<ConfigMap> => ({
  ...current,
  metadata: { ...current.metadata, annotations: { ...annotationsOf(current), [descriptionAnnotation]: description } },
  data,
})
