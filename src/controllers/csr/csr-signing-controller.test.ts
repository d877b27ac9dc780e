import assert from 'node:assert/strict'
import { webcrypto, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { certificateSigningRequests } from '../../api/generated/resources.ts'
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { startWorld, type World } from '../testing/world.ts'
import { x509 } from './certificate-request.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

async function ca(): Promise<{ clusterSigningCert: string; clusterSigningKey: string }> {
  const { X509CertificateGenerator, PemConverter } = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=kubernetes',
    notBefore: new Date(Date.UTC(2025, 0, 1)),
    notAfter: new Date(Date.UTC(2036, 0, 1)),
    keys,
    signingAlgorithm: algorithm,
  })
  return {
    clusterSigningCert: certificate.toString('pem'),
    clusterSigningKey: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
  }
}

async function request(name: string): Promise<string> {
  const { Pkcs10CertificateRequestGenerator } = await x509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return Buffer.from(
    (await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })).toString('pem'),
  ).toString('base64')
}

async function ask(world: World, signerName: string, name: string): Promise<Frozen<CertificateSigningRequest>> {
  return world.client.create(certificateSigningRequests, {
    metadata: { name: 'r' },
    spec: {
      request: await request(name),
      signerName,
      usages: ['digital signature', 'client auth'],
      expirationSeconds: 3600,
    },
  } as CertificateSigningRequest)
}

/** Signing runs on threads of Node's own, which no virtual clock waits for. */
async function fetched(world: World): Promise<Frozen<CertificateSigningRequest>> {
  for (let i = 0; i < 2000; i++) {
    await setTimeout(1)
    const csr = await world.client.get(certificateSigningRequests, { name: 'r' })
    if (csr.status?.certificate || csr.status?.conditions?.some(({ type }) => type === 'Failed')) return csr
  }
  return world.client.get(certificateSigningRequests, { name: 'r' })
}

const approve = (world: World, csr: Frozen<CertificateSigningRequest>) =>
  world.client.updateSubresource(certificateSigningRequests, { name: 'r' }, 'approval', {
    ...csr,
    status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] },
  })

test('an approved request is signed by the cluster, for as long as it asks', async () => {
  const signer = await ca()
  await using world = await startWorld(['certificatesigningrequest-signing-controller'], signer)
  await approve(world, await ask(world, 'kubernetes.io/kube-apiserver-client', 'CN=jane,O=developers'))
  const { status } = await fetched(world)
  const certificate = new X509Certificate(Buffer.from(String(status?.certificate), 'base64'))
  assert.match(certificate.subject, /CN=jane/)
  assert.ok(certificate.verify(new X509Certificate(signer.clusterSigningCert).publicKey))
  assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 3_600_000)
})

test('a request for something else than the signer signs fails', async () => {
  await using world = await startWorld(['certificatesigningrequest-signing-controller'], await ca())
  await approve(world, await ask(world, 'kubernetes.io/kube-apiserver-client-kubelet', 'CN=jane,O=system:nodes'))
  const failed = (await fetched(world)).status?.conditions?.find(({ type }) => type === 'Failed')
  assert.equal(failed?.reason, 'SignerValidationFailure')
})

test("a kubelet's own request is approved when it may have it", async () => {
  await using world = await startWorld(
    ['certificatesigningrequest-approving-controller', 'certificatesigningrequest-signing-controller'],
    await ca(),
  )
  await ask(world, 'kubernetes.io/kube-apiserver-client-kubelet', 'CN=system:node:a,O=system:nodes')
  const { status } = await fetched(world)
  assert.equal(status?.conditions?.[0]?.reason, 'AutoApproved')
  assert.ok(status?.certificate)
})

test('old requests are deleted', async () => {
  await using world = await startWorld(['certificatesigningrequest-cleaner-controller'])
  await ask(world, 'example.com/x', 'CN=a')
  await world.clock.advance(23 * 3_600_000)
  assert.equal((await world.client.list(certificateSigningRequests)).items.length, 1)
  await world.clock.advance(2 * 3_600_000)
  assert.equal((await world.client.list(certificateSigningRequests)).items.length, 0)
})
