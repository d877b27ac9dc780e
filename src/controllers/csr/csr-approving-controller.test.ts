import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { certificateSigningRequests } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'
import { x509 } from './certificate-request.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

test('a request is approved when the right to it comes later', async () => {
  let allowed = false
  let asked = 0
  await using world = await startWorld(['certificatesigningrequest-approving-controller'], {
    answer({ path }) {
      if (!path.endsWith('/subjectaccessreviews')) return undefined
      asked++
      return { status: { allowed } }
    },
  })
  const { Pkcs10CertificateRequestGenerator } = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const name = 'CN=system:node:n1, O=system:nodes'
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })
  await world.client.create(certificateSigningRequests, {
    metadata: { name: 'r' },
    spec: {
      request: Buffer.from(request.toString('pem')).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    },
  })
  const conditionsAfter = async (questions: number) => {
    // Reading a request is work of Node's own threads, which no virtual clock waits for.
    for (let i = 0; i < 2000 && asked < questions; i++) await setTimeout(1)
    await world.clock.settle()
    const { status } = await world.client.get(certificateSigningRequests, { name: 'r' })
    return status?.conditions?.map(({ type, reason }) => `${type} ${reason}`) ?? []
  }
  assert.deepEqual(await conditionsAfter(1), [])
  allowed = true
  await world.clock.advance(31_000)
  assert.deepEqual(await conditionsAfter(2), ['Approved AutoApproved'])
})
