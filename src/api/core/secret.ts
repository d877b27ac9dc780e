import { createPrivateKey, X509Certificate } from 'node:crypto'
import { secrets } from '../generated/resources.ts'
import type { Secret } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors } from '../validation/field.ts'
import { immutableText, isConfigMapKey } from '../validation/names.ts'
import { base64Bytes, dataBytesMax, fixedText } from './configmap.ts'
import { secretRow } from './secret-row.ts'

/** What a Secret does. */
export const secretDefinition = defineKind(secrets, {
  row: secretRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  fields: { type: ({ type }) => type ?? '' },
  defaults(secret) {
    secret.type ||= 'Opaque'
    // Written as text, kept and read as bytes.
    for (const [key, text] of Object.entries(secret.stringData ?? {}))
      ensure(secret, 'data')[key] = Buffer.from(text).toString('base64')
    delete secret.stringData
  },
  validate: checkSecret,
  validateUpdate(secret, old, errors) {
    if (secret.type !== old.type) errors.invalid(field('type'), secret.type ?? '', immutableText)
    if (old.immutable) {
      if (!secret.immutable) errors.forbidden(field('immutable'), fixedText)
      if (!equal(secret.data ?? {}, old.data ?? {})) errors.forbidden(field('data'), fixedText)
    }
    checkSecret(secret, errors)
  },
  warnings: ({ type, data }) =>
    type === 'kubernetes.io/tls' ? keyPairWarnings(data?.['tls.crt'] ?? '', data?.['tls.key'] ?? '') : [],
})

/** Keys that Secrets of a type must have, and whether they may be empty. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

function checkSecret({ metadata, type = '', data = {} }: Frozen<Secret>, errors: FieldErrors): void {
  const at = field('data')
  let bytes = 0
  for (const key in data) {
    for (const text of isConfigMapKey(key)) errors.invalid(at.key(key), key, text)
    bytes += base64Bytes(data[key] ?? '')
  }
  if (bytes > dataBytesMax) errors.tooLong(at, dataBytesMax)
  for (const key of requiredKeys[type] ?? []) if (data[key] === undefined) errors.required(at.key(key))
  if (type.startsWith('kubernetes.io/dockerc')) checkJson(requiredKeys[type]?.[0] ?? '', data, errors)
  if (type === 'kubernetes.io/service-account-token') {
    const account = 'kubernetes.io/service-account.name'
    if (!metadata.annotations?.[account]) errors.required(field('metadata', 'annotations').key(account))
  } else if (type === 'kubernetes.io/basic-auth') {
    if (data['username'] === undefined && data['password'] === undefined)
      for (const key of ['username', 'password']) errors.required(at.key(key))
  } else if (type === 'kubernetes.io/ssh-auth' && !data['ssh-privatekey']) errors.required(at.key('ssh-privatekey'))
}

function checkJson(key: string, data: Readonly<Record<string, string>>, errors: FieldErrors): void {
  const value = data[key]
  if (value === undefined) return
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64').toString())
    if (parsed === null || (typeof parsed === 'object' && !Array.isArray(parsed))) return
    errors.invalid(
      field('data').key(key),
      '<secret contents redacted>',
      'json: cannot unmarshal into Go value of type map[string]interface {}',
    )
  } catch (error) {
    errors.invalid(
      field('data').key(key),
      '<secret contents redacted>',
      error instanceof Error ? error.message : 'invalid JSON',
    )
  }
}

/** Whether key and certificate belong together. */
function keyPairWarnings(certificate: string, key: string): string[] {
  const read = (text: string) => Buffer.from(text, 'base64')
  if (!read(certificate).includes('-----BEGIN CERTIFICATE-----'))
    return ['tls: failed to find any PEM data in certificate input']
  if (!read(key).includes('PRIVATE KEY-----')) return ['tls: failed to find any PEM data in key input']
  try {
    return new X509Certificate(read(certificate)).checkPrivateKey(createPrivateKey(read(key)))
      ? []
      : ['tls: private key does not match public key']
  } catch (error) {
    return [`tls: ${error instanceof Error ? error.message : 'invalid key pair'}`]
  }
}
