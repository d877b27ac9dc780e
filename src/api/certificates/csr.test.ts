import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { certificateProblem, requestProblem } from './csr.ts'

/** DER of one element. */
function element(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length =
    body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, body])
}

const ecdsaWithSha256 = element(0x30, element(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
const pem = (type: string, der: Buffer): string =>
  Buffer.from(
    `-----BEGIN ${type}-----\n${der.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${type}-----\n`,
  ).toString('base64')

function request(signature?: Buffer): Buffer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const info = element(
    0x30,
    element(0x02, Buffer.from([0])),
    element(0x30),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa0),
  )
  return element(
    0x30,
    info,
    ecdsaWithSha256,
    element(0x03, Buffer.from([0]), signature ?? sign('sha256', info, privateKey)),
  )
}

test('a request is signed by the key that it is for', () => {
  assert.equal(requestProblem(pem('CERTIFICATE REQUEST', request())), undefined)
  assert.notEqual(requestProblem(pem('CERTIFICATE REQUEST', request(Buffer.alloc(70)))), undefined)
})

test('what is no request is told of', () => {
  assert.equal(requestProblem(undefined), 'PEM block type must be CERTIFICATE REQUEST')
  assert.equal(requestProblem(pem('CERTIFICATE', request())), 'PEM block type must be CERTIFICATE REQUEST')
  assert.notEqual(requestProblem(pem('CERTIFICATE REQUEST', Buffer.from('not DER'))), undefined)
})

test('an issued certificate is a chain of certificates', () => {
  assert.equal(certificateProblem(undefined), undefined)
  assert.equal(
    certificateProblem(Buffer.from('text').toString('base64')),
    'must contain at least one CERTIFICATE PEM block',
  )
  assert.equal(
    certificateProblem(pem('PRIVATE KEY', Buffer.alloc(3))),
    'only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"',
  )
  assert.equal(certificateProblem(pem('CERTIFICATE', Buffer.alloc(3))), 'x509: malformed certificate')
})
