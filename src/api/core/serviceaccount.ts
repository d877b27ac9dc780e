import { serviceAccounts } from '../generated/resources.ts'
import type { ServiceAccount } from '../generated/types/core-v1.ts'
import { defineKind } from '../kind.ts'
import { serviceAccountRow } from './serviceaccount-row.ts'

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets'

/** What a ServiceAccount does. */
export const serviceAccountDefinition = defineKind(serviceAccounts, {
  row: serviceAccountRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  prepareCreate: onlyNames,
  prepareUpdate: onlyNames,
  warnings({ metadata }, old) {
    if (
      old?.metadata.annotations?.[mountableSecrets] !== undefined ||
      metadata.annotations?.[mountableSecrets] === undefined
    )
      return []
    return [
      `metadata.annotations[${mountableSecrets}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
    ]
  },
})

/** Secrets of an account are in its namespace: their names say all. */
function onlyNames(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}
