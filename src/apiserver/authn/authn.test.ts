import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { startTestServer } from '../server.test-support.ts'
import { isSigned, tokenKey, tokenSigner, unverifiedClaims } from './jwt.ts'
import { tokenFile } from './token-file.ts'

const pem = (type: 'rsa' | 'ec') =>
  type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test('a token file names users, with groups in quotes', () => {
  const tokens = tokenFile('t1,jane,7,"dev,ops"\nt2,joe,8\n')
  assert.deepEqual(tokens.authenticateToken('t1'), {
    user: { name: 'jane', uid: '7', groups: ['dev', 'ops', 'system:authenticated'] },
  })
  assert.equal(tokens.authenticateToken('t3'), undefined)
  assert.throws(() => tokenFile('lonely\n'), /line 1/)
})

for (const type of ['rsa', 'ec'] as const) {
  test(`a token signed with an ${type} key is known by that key only`, () => {
    const own = pem(type)
    const token = tokenSigner(own)({ sub: 'x' })
    assert.ok(isSigned(token, [tokenKey(own)]))
    assert.ok(!isSigned(token, [tokenKey(pem(type))]))
    const [head, , signature] = token.split('.')
    assert.ok(!isSigned(`${head}.${Buffer.from('{"sub":"y"}').toString('base64url')}.${signature}`, [tokenKey(own)]))
    assert.deepEqual(unverifiedClaims(token), { sub: 'x' })
  })
}

test('a service account token is good as long as what it is bound to is there', async (t) => {
  const key = pem('rsa')
  const { send, clock } = await startTestServer(t, {
    serviceAccounts: { issuers: ['https://issuer'], keys: [key], signingKey: key },
  })
  await send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'app:1' }] },
  })
  const bound = { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' }, expirationSeconds: 600 } }
  const made = await send('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', bound)
  const { token } = made.status as unknown as { token: string }
  const review = async () =>
    (await send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })).status as unknown as {
      authenticated?: boolean
      user: { username?: string; extra?: Record<string, string[]> }
    }
  const first = await review()
  assert.equal(first.user.username, 'system:serviceaccount:default:default')
  assert.deepEqual(first.user.extra?.['authentication.kubernetes.io/pod-name'], ['p'])
  await clock.advance(700_000)
  assert.equal((await review()).authenticated, undefined)
})

test('a token ends with its pod', async (t) => {
  const key = pem('rsa')
  const { send } = await startTestServer(t, {
    serviceAccounts: { issuers: ['https://issuer'], keys: [key], signingKey: key },
  })
  await send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'main', image: 'app:1' }] },
  })
  const made = await send('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
    spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } },
  })
  await send('DELETE', '/api/v1/namespaces/default/pods/p')
  const { token } = made.status as unknown as { token: string }
  const review = await send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
  assert.equal((review.status as unknown as { authenticated?: boolean }).authenticated, undefined)
})

test('an access review answers for others', async (t) => {
  const { send } = await startTestServer(t)
  const ask = async (user: string, groups: string[]) => {
    const { status } = await send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: { user, groups, resourceAttributes: { verb: 'get', resource: 'nodes' } },
    })
    return (status as unknown as { allowed: boolean }).allowed
  }
  assert.equal(await ask('root', ['system:masters']), true)
  assert.equal(await ask('jane', ['system:authenticated']), false)
})
