import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed, created } from '../kinds.test-support.ts'
import type { Pod } from '../generated/types/core-v1.ts'

const pod = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', ...metadata },
  spec: { serviceAccountName: 'default', containers: [{ name: 'c', image: 'busybox:1.36' }], ...spec },
})

test('a Pod is completed as upstream completes it', () => {
  const { object, errors } = created<Pod>(pod())
  assert.deepEqual(errors, [])
  const { spec, status } = object
  assert.equal(spec?.restartPolicy, 'Always')
  assert.equal(spec?.dnsPolicy, 'ClusterFirst')
  assert.equal(spec?.terminationGracePeriodSeconds, 30)
  assert.equal(spec?.containers[0]?.imagePullPolicy, 'IfNotPresent')
  assert.equal(status?.phase, 'Pending')
  assert.equal(status?.qosClass, 'BestEffort')
})

test('images without a tag, or with the latest one, are always pulled', () => {
  for (const [image, policy] of [
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['busybox:1', 'IfNotPresent'],
    ['localhost:5000/busybox', 'Always'],
    [`busybox@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`busybox:latest@sha256:${'0'.repeat(64)}`, 'Always'],
  ] as const) {
    const { object } = created<Pod>(pod({ containers: [{ name: 'c', image }] }))
    assert.equal(object.spec?.containers[0]?.imagePullPolicy, policy, image)
  }
})

test('requests follow limits, and with them the quality of service', () => {
  const { object } = created<Pod>(
    pod({ containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: '500m', memory: '64Mi' } } }] }),
  )
  assert.deepEqual(object.spec?.containers[0]?.resources?.requests, { cpu: '500m', memory: '64Mi' })
  assert.equal(object.status?.qosClass, 'Guaranteed')
})

test('what is wrong is told with its field and upstream’s words', () => {
  const errorsOf = (spec: object) => created(pod(spec)).errors
  assert.deepEqual(errorsOf({ containers: [] }), ['spec.containers: Required value'])
  assert.deepEqual(
    errorsOf({
      containers: [
        { name: 'c', image: 'x' },
        { name: 'c', image: 'y' },
      ],
    }),
    ['spec.containers[1].name: Duplicate value: "c"'],
  )
  assert.deepEqual(errorsOf({ containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 0 }] }] }), [
    'spec.containers[0].ports[0].containerPort: Required value',
  ])
  assert.deepEqual(
    errorsOf({ containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  )
  assert.deepEqual(errorsOf({ restartPolicy: 'Sometimes' }), [
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  ])
})

test('of a Pod that runs only images and a little more can change', () => {
  const { object } = created<Pod>(pod())
  const change = (edit: (pod: Pod) => void) => changed(object, edit as (object: never) => void).errors
  assert.deepEqual(
    change(({ spec }) => Object.assign(spec?.containers[0] ?? {}, { image: 'busybox:2' })),
    [],
  )
  const [problem = ''] = change(({ spec }) => Object.assign(spec ?? {}, { hostname: 'other' }))
  assert.match(problem, /^spec: Forbidden: pod updates may not change fields other than/)
  assert.deepEqual(
    change(({ spec }) => spec?.containers.push({ name: 'more', image: 'x' })),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  )
})

test('a resize and ephemeral containers change nothing in metadata', () => {
  const { object } = created<Pod>(pod({}, { labels: { a: 'b' } }))
  for (const subresource of ['resize', 'ephemeralcontainers']) {
    const { object: after } = changed(
      object,
      ({ metadata }: Pod) => Object.assign(metadata, { labels: { a: 'c' }, annotations: { x: 'y' } }),
      subresource,
    )
    assert.deepEqual(after.metadata?.labels, { a: 'b' }, subresource)
    assert.equal(after.metadata?.annotations, undefined, subresource)
  }
})

test('a profile in an annotation becomes a field, and is told of even when it is none', () => {
  const annotated = (value: string) =>
    created<Pod>(pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/c': value } }))
  const { object, told } = annotated('localhost/x')
  assert.deepEqual(object.spec?.containers[0]?.securityContext?.appArmorProfile, {
    type: 'Localhost',
    localhostProfile: 'x',
  })
  assert.equal(told.length, 1)
  const bad = annotated('nope')
  assert.equal(bad.errors.length, 1)
  assert.match(
    bad.told[0] ?? '',
    /^metadata.annotations\[container.apparmor.security.beta.kubernetes.io\/c\]: deprecated since v1.30/,
  )
})

test('a claim that the Pod does not name is told with those that it does', () => {
  const claiming = (resourceClaims?: object[]) =>
    created(pod({ containers: [{ name: 'c', image: 'x', resources: { claims: [{ name: 'gpu' }] } }], resourceClaims }))
      .errors
  const at = 'spec.containers[0].resources.claims[0]: Not found: "gpu": must be one of the names in'
  assert.deepEqual(claiming(), [`${at} pod.spec.resourceClaims which is empty`])
  assert.deepEqual(claiming(['b', 'a'].map((name) => ({ name, resourceClaimName: 'x' }))), [
    `${at} pod.spec.resourceClaims: a, b`,
  ])
})

test('fields of features that are off are dropped', () => {
  const { object } = created<Pod>(pod({ workloadRef: { name: 'w', podGroup: 'g' } }))
  assert.equal('workloadRef' in (object.spec ?? {}), false)
})
