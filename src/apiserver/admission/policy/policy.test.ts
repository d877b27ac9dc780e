import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ApiError } from '../../../api/errors/api-error.ts'
import { configMaps, startTestServer, type TestServer } from '../../server.test-support.ts'

const group = '/apis/admissionregistration.k8s.io/v1'

const rules = [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

/** A server with a policy on config maps, bound with these actions. */
async function withPolicy(t: TestContext, spec: object, binding: object = {}): Promise<TestServer> {
  const server = await startTestServer(t)
  await server.send('POST', `${group}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: rules }, ...spec },
  })
  await server.send('POST', `${group}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  })
  return server
}

const map = (name: string, data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
const refused = (code: number, text: string) => (error: unknown) =>
  error instanceof ApiError && error.code === code && error.message.includes(text)

test('a policy refuses what it does not hold for, with its own message and reason', async (t) => {
  const { send } = await withPolicy(t, {
    variables: [{ name: 'size', expression: 'object.data.size()' }],
    validations: [
      {
        expression: 'variables.size < 2',
        messageExpression: "'has ' + string(variables.size) + ' keys'",
        reason: 'Forbidden',
      },
    ],
  })
  await send('POST', configMaps, map('one', { a: '1' }))
  await assert.rejects(
    send('POST', configMaps, map('two', { a: '1', b: '2' })),
    refused(
      403,
      `configmaps "two" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: has 2 keys`,
    ),
  )
})

test('an expression that fails refuses, unless the policy says otherwise', async (t) => {
  const strict = await withPolicy(t, { validations: [{ expression: "object.data.none == 'x'" }] })
  await assert.rejects(strict.send('POST', configMaps, map('a', {})), refused(422, 'resulted in error: no such key'))
})

test('a policy takes parameters from objects, and says when there are none', async (t) => {
  const { send } = await withPolicy(
    t,
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [
        { expression: "object.metadata.name.startsWith(params.data.prefix) || object.metadata.name == 'settings'" },
      ],
    },
    { paramRef: { name: 'settings', namespace: 'default', parameterNotFoundAction: 'Deny' } },
  )
  await assert.rejects(send('POST', configMaps, map('early', {})), refused(422, 'no params found'))
})

test('match conditions leave requests alone, and nobody is judged by a policy that is not bound', async (t) => {
  const { send } = await withPolicy(t, {
    matchConditions: [{ name: 'not-me', expression: "request.userInfo.username != 'admin'" }],
    validations: [{ expression: 'false' }],
  })
  await send('POST', configMaps, map('mine', {}))
})

test('the authorizer can be asked', async (t) => {
  const { send } = await withPolicy(t, {
    validations: [
      {
        expression:
          "authorizer.group('').resource('pods').namespace('default').check('create').allowed() && authorizer.requestResource.check('create').allowed()",
      },
    ],
  })
  await send('POST', configMaps, map('may', {}))
})

test('expressions that cannot be are refused with the policy', async (t) => {
  const { send } = await startTestServer(t)
  const spec = { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'object.x +' }] }
  await assert.rejects(
    send('POST', `${group}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'bad' },
      spec,
    }),
    refused(422, 'Syntax error'),
  )
})

test('the status tells what types say about the expressions', async (t) => {
  const server = await startTestServer(t, { policyStatuses: true })
  const spec = {
    matchConstraints: {
      resourceRules: [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
    },
    validations: [{ expression: 'object.spec.replicsa > 1' }, { expression: 'object.spec.replicas > 1' }],
  }
  await server.send('POST', `${group}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'typed' },
    spec,
  })
  for (let i = 0; i < 50; i++) {
    await server.clock.advance(10)
    const { status } = (await server.send('GET', `${group}/validatingadmissionpolicies/typed`)) as unknown as {
      status?: {
        observedGeneration?: number
        typeChecking?: { expressionWarnings?: { fieldRef: string; warning: string }[] }
      }
    }
    if (status?.observedGeneration !== 1) continue
    const warnings = status.typeChecking?.expressionWarnings ?? []
    assert.deepEqual(
      warnings.map(({ fieldRef }) => fieldRef),
      ['spec.validations[0].expression'],
    )
    assert.match(warnings[0]?.warning ?? '', /^apps\/v1, Kind=Deployment: ERROR: .*undefined field 'replicsa'/)
    return
  }
  assert.fail('no status was written')
})
