import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { startTestServer } from '../server.test-support.ts'
import { tokenSigner } from './jwt.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const secretPath = '/api/v1/namespaces/default/secrets/robot'

interface Reviewed {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string; readonly groups?: readonly string[] }
  readonly audiences?: readonly string[]
}

/** A server with a Secret of the default account and its token, as the controller makes them. */
async function startWithToken(t: TestContext) {
  const server = await startTestServer(t, {
    serviceAccounts: { issuers: ['https://issuer'], keys: [key], signingKey: key },
  })
  const { send } = server
  const account = await send('GET', '/api/v1/namespaces/default/serviceaccounts/default')
  const claims = {
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': 'default',
    'kubernetes.io/serviceaccount/secret.name': 'robot',
    'kubernetes.io/serviceaccount/service-account.name': 'default',
    'kubernetes.io/serviceaccount/service-account.uid': account.metadata!['uid'],
    sub: 'system:serviceaccount:default:default',
  }
  const token = tokenSigner(key)(claims)
  const put = (labels: Record<string, string> = {}, data = token) =>
    send('POST', '/api/v1/namespaces/default/secrets', {
      metadata: { name: 'robot', labels, annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(data).toString('base64') },
    })
  const review = async (spec: object = { token }): Promise<Reviewed> =>
    (await send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec })).status as Reviewed
  return { ...server, claims, token, put, review }
}

test('the token of a Secret is its account, without an end, until the Secret goes', async (t) => {
  const { send, clock, put, review } = await startWithToken(t)
  assert.equal((await review()).authenticated, undefined)
  await put()
  await clock.advance(2 * 3_600_000)
  assert.deepEqual((await review()).user, {
    username: 'system:serviceaccount:default:default',
    uid: (await send('GET', '/api/v1/namespaces/default/serviceaccounts/default')).metadata!['uid'],
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
  })
  await send('DELETE', secretPath)
  assert.equal((await review()).authenticated, undefined)
})

test('a token that the Secret no longer holds is none, nor is one that somebody else signed', async (t) => {
  const { token, claims, put, review } = await startWithToken(t)
  await put({}, 'another')
  assert.equal((await review()).authenticated, undefined)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forged = tokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())(claims)
  assert.notEqual(forged, token)
  assert.equal((await review({ token: forged })).authenticated, undefined)
})

test('it is for the server itself and for nobody else', async (t) => {
  const { token, put, review } = await startWithToken(t)
  await put()
  assert.deepEqual((await review({ token, audiences: ['https://issuer', 'x'] })).audiences, ['https://issuer'])
  assert.equal((await review({ token, audiences: ['x'] })).authenticated, undefined)
})

test('the day of its last use is written on the Secret, and the server says since when it does so', async (t) => {
  const { send, clock, put, review } = await startWithToken(t)
  await put()
  const lastUsed = async () =>
    (await send('GET', secretPath)).metadata!['labels'] as Readonly<Record<string, string>> | undefined
  const today = new Date(clock.now()).toISOString().slice(0, 10)
  await review()
  await clock.settle()
  assert.deepEqual(await lastUsed(), { 'kubernetes.io/legacy-token-last-used': today })
  const name = 'kube-apiserver-legacy-service-account-token-tracking'
  const since = await send('GET', `/api/v1/namespaces/kube-system/configmaps/${name}`)
  assert.deepEqual((since as { data?: object }).data, { since: today })
})

test('one that was marked invalid is refused, and the try is noted as a use', async (t) => {
  const { send, clock, put, review } = await startWithToken(t)
  await put({ 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' })
  assert.equal((await review()).authenticated, undefined)
  await clock.settle()
  assert.equal(Object.keys((await send('GET', secretPath)).metadata!['labels'] as object).length, 2)
})
