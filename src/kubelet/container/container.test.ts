import assert from 'node:assert/strict'
import test from 'node:test'
import { notFound } from '../../api/errors/api-error.ts'
import type { ConfigMap, Container, PodSpec, Secret, Service } from '../../api/generated/types/core-v1.ts'
import type { ObjectReader } from '../sources/object-reader.ts'
import { aContainer, aPod } from '../testing/pods.ts'
import { containerResources } from './container-resources.ts'
import { containerEnv, type EnvSources } from './env.ts'
import { expand } from './expansion.ts'
import { fieldValue, goQuoted } from './field-ref.ts'
import { containerMounts } from './mounts.ts'
import { resourceValue } from './resource-field.ts'
import { containerSecurity, type SecurityOptions } from './security-context.ts'
import { serviceEnv } from './service-env.ts'

for (const [text, want] of [
  ['plain', 'plain'],
  ['$(A)', 'a'],
  ['$$(A)', '$(A)'],
  ['$(MISSING)', '$(MISSING)'],
  ['x$(A)y$(B)z', 'xaybz'],
  ['$', '$'],
  ['$(A', '$(A'],
  ['$$$(A)', '$a'],
  ['a$b', 'a$b'],
  ['$()', '$()'],
] as const) {
  test(`${text} expands to ${want}`, () =>
    assert.equal(
      expand(text, (name) => ({ A: 'a', B: 'b' })[name]),
      want,
    ))
}

const node = { podIps: ['10.0.0.1', 'fd00::1'], hostIps: ['192.168.0.1'] }

for (const [path, want] of [
  ['metadata.name', 'web'],
  ['metadata.uid', 'uid-1'],
  ['status.podIP', '10.0.0.1'],
  ['status.podIPs', '10.0.0.1,fd00::1'],
  ['status.hostIP', '192.168.0.1'],
  ["metadata.labels['app']", 'shop'],
  ["metadata.annotations['none']", ''],
  ['metadata.labels', 'app="shop"\nzone="a\\"b\\n"'],
] as const) {
  test(`the field ${path} is ${JSON.stringify(want)}`, () =>
    assert.equal(fieldValue(path, aPod({}, { labels: { zone: 'a"b\n', app: 'shop' } }), node), want))
}

test('an unknown field is refused', () =>
  assert.throws(() => fieldValue('spec.secret', aPod(), node), /unsupported fieldPath: spec.secret/))
test('control characters are quoted as Go does', () => assert.equal(goQuoted('a\u0001\t"\\'), '"a\\x01\\t\\"\\\\"'))

for (const [resource, divisor, want] of [
  ['limits.cpu', undefined, '1'],
  ['limits.cpu', '1m', '250'],
  ['limits.memory', '1Mi', '64'],
  ['limits.memory', undefined, '67108864'],
  ['requests.cpu', '1m', '100'],
  ['limits.ephemeral-storage', '1Gi', '100'],
] as const) {
  test(`the resource ${resource} in ${divisor ?? 'units'} is ${want}`, () => {
    const container = aContainer('main', {
      resources: { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '100m' } },
    })
    assert.equal(
      resourceValue({ resource, ...(divisor && { divisor }) }, aPod(), container, { 'ephemeral-storage': '100Gi' }),
      want,
    )
  })
}

const service = (name: string, namespace: string, clusterIP: string): Service => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
})

test('services of the namespace are links, and the API server is one everywhere', () => {
  const services = [
    service('kubernetes', 'default', '10.96.0.1'),
    service('my-db', 'shop', '10.96.0.7'),
    service('other', 'else', '10.96.0.8'),
    service('headless', 'shop', 'None'),
  ]
  const env = serviceEnv(services, 'shop', true)
  assert.equal(env['KUBERNETES_SERVICE_HOST'], '10.96.0.1')
  assert.equal(env['MY_DB_SERVICE_PORT_HTTP'], '80')
  assert.equal(env['MY_DB_PORT_80_TCP'], 'tcp://10.96.0.7:80')
  assert.equal(env['OTHER_SERVICE_HOST'] ?? env['HEADLESS_SERVICE_HOST'], undefined)
  assert.deepEqual(
    Object.keys(serviceEnv(services, 'shop', false)).filter((name) => !name.startsWith('KUBERNETES')),
    [],
  )
})

const configMap: ConfigMap = { metadata: { name: 'cm' }, data: { a: '1', b: '2' } }
const secret: Secret = { metadata: { name: 'key' }, data: { pw: Buffer.from('s3cret').toString('base64') } }
const objects: ObjectReader = {
  configMap: async ({ name }) =>
    name === 'cm' ? configMap : Promise.reject(notFound({ group: '', plural: 'configmap' }, name)),
  secret: async ({ name }) =>
    name === 'key' ? secret : Promise.reject(notFound({ group: '', plural: 'secret' }, name)),
  services: async () => [service('kubernetes', 'default', '10.96.0.1')],
}
const sources: EnvSources = { objects, node, allocatable: {}, fileValue: async () => undefined }
const envOf = (container: Partial<Container>) => containerEnv(aPod(), aContainer('main', container), sources)

test('variables come from values, fields, config maps and secrets, and may use each other in order', async () => {
  const env = await envOf({
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 'none', optional: true } }],
    env: [
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'cm', key: 'b' } } },
      { name: 'PW', valueFrom: { secretKeyRef: { name: 'key', key: 'pw' } } },
      { name: 'ALL', value: '$(P_a)-$(B)-$(PW)-$(KUBERNETES_SERVICE_HOST)-$(LATER)' },
      { name: 'LATER', value: 'x' },
      { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'cm', key: 'zzz', optional: true } } },
    ],
  })
  assert.equal(env['ALL'], '1-2-s3cret-10.96.0.1-$(LATER)')
  assert.ok(!('NONE' in env))
})

const faulty: readonly (readonly [string, Partial<Container>, string])[] = [
  [
    'a config map',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'a' } } }] },
    'configmap "none" not found',
  ],
  [
    'a key',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cm', key: 'zzz' } } }] },
    "couldn't find key zzz in ConfigMap default/cm",
  ],
  ['a secret', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
]
for (const [name, container, message] of faulty)
  test(`${name} that is missing is said`, () => assert.rejects(envOf(container), { message }))

const security: SecurityOptions = {
  image: { uid: 0, username: '' },
  seccompDefault: false,
  seccompFolder: '/seccomp',
  volumeGroups: [],
}
const secured = (spec: Partial<PodSpec>, container: Container['securityContext'] = {}, options = security) =>
  containerSecurity(aPod(spec), aContainer('main', { securityContext: container }), options)

test('a container is who the pod says, unless it says otherwise itself', () => {
  const context = { securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000] } }
  assert.deepEqual(
    [secured(context).runAsUser, secured(context).runAsGroup, secured(context).supplementalGroups],
    [{ value: 1000 }, { value: 2000 }, [3000, 4000]],
  )
  assert.deepEqual(secured(context, { runAsUser: 5 }).runAsUser, { value: 5 })
})

test('profiles are none, the default, or a file', () => {
  assert.deepEqual(secured({}).seccomp, { profileType: 'Unconfined' })
  assert.deepEqual(secured({}, {}, { ...security, seccompDefault: true }).seccomp, { profileType: 'RuntimeDefault' })
  assert.deepEqual(
    secured({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } } }).seccomp,
    { profileType: 'Localhost', localhostRef: '/seccomp/x.json' },
  )
  assert.deepEqual(
    secured({}, { appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } }).apparmorProfile,
    'localhost/p',
  )
})

for (const [name, context, image, message] of [
  [
    'runs as root by its image',
    { runAsNonRoot: true },
    { uid: 0, username: '' },
    /container has runAsNonRoot and image will run as root/,
  ],
  [
    'runs as root by its spec',
    { runAsNonRoot: true, runAsUser: 0 },
    { uid: 5, username: '' },
    /container's runAsUser breaks non-root policy/,
  ],
  [
    'has a name for a user',
    { runAsNonRoot: true },
    { uid: undefined, username: 'nginx' },
    /image has non-numeric user \(nginx\), cannot verify user is non-root/,
  ],
] as const) {
  test(`a container that may not be root and ${name} is refused`, () =>
    assert.throws(() => secured({}, context, { ...security, image }), message))
}

test('processes are shared as the spec says', () => {
  assert.deepEqual(secured({ hostNetwork: true, shareProcessNamespace: true }).namespaceOptions, {
    network: 'NODE',
    ipc: 'POD',
    pid: 'POD',
  })
  assert.deepEqual(secured({}, {}, { ...security, targetId: 'abc' }).namespaceOptions, {
    network: 'POD',
    ipc: 'POD',
    pid: 'TARGET',
    targetId: 'abc',
  })
})

const onCgroups = (version: 1 | 2, countsSwap: boolean) => ({
  nodeMemoryBytes: 2 ** 34,
  cpuCfsQuota: true,
  cpuCfsPeriodUs: 100_000,
  singleProcessOomKill: false,
  cgroups: { version, countsSwap },
})

test('nothing swaps, and with cgroup v2 a container that runs out of memory ends as a whole', () => {
  const bound = aContainer('main', { resources: { limits: { memory: '1Gi' } } })
  const told = (container: Container, options: ReturnType<typeof onCgroups>) => {
    const { unified, memorySwapLimitInBytes } = containerResources(aPod(), container, options)
    return { ...unified, ...(memorySwapLimitInBytes !== undefined && { memorySwapLimitInBytes }) }
  }
  assert.deepEqual(told(bound, onCgroups(2, true)), { 'memory.oom.group': '1', 'memory.swap.max': '0' })
  assert.deepEqual(told(bound, onCgroups(2, false)), { 'memory.oom.group': '1' })
  assert.deepEqual(told(bound, { ...onCgroups(2, false), singleProcessOomKill: true }), {})
  assert.deepEqual(told(bound, onCgroups(1, true)), { memorySwapLimitInBytes: 2 ** 30 })
  assert.deepEqual(told(aContainer('free'), onCgroups(1, true)), {})
  assert.deepEqual(told(bound, onCgroups(1, false)), {})
})

test('limits become shares, quota and bytes', () => {
  const options = onCgroups(1, false)
  const container = aContainer('main', {
    resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '1500m', memory: '2Gi' } },
  })
  const { cpuShares, cpuQuota, memoryLimitInBytes, oomScoreAdj } = containerResources(
    aPod({ containers: [container] }),
    container,
    options,
  )
  assert.deepEqual([cpuShares, cpuQuota, memoryLimitInBytes, oomScoreAdj], [256, 150_000, 2 ** 31, 937])
  assert.equal(containerResources(aPod(), aContainer('main'), options).oomScoreAdj, 1000)
  assert.equal(containerResources(aPod({ priority: 2_000_001_000 }), aContainer('main'), options).oomScoreAdj, -997)
})

const files = {
  subPath: async ({ volumePath, subPath }: { volumePath: string; subPath: string }) => `${volumePath}/${subPath}`,
  writeHosts: async () => '/hosts',
  terminationFile: async () => '/term',
  ensureFolder: async () => undefined,
}
const mountsOf = (container: Partial<Container>) =>
  containerMounts(aPod(), aContainer('main', container), {
    // Only what mounts use.
    files: files as unknown as Parameters<typeof containerMounts>[2]['files'],
    volumes: new Map([
      ['v', { hostPath: '/v', readOnly: false }],
      ['c', { hostPath: '/c', readOnly: true }],
    ]),
    env: { NAME: 'n' },
    podIps: ['10.0.0.1'],
    clusterDomain: 'c',
    recursiveReadOnly: false,
  })

test('mounts have their volumes, parts of them, the hosts file and the termination file', async () => {
  const mounts = await mountsOf({
    volumeMounts: [
      { name: 'v', mountPath: '/a', mountPropagation: 'Bidirectional' },
      { name: 'c', mountPath: 'rel' },
      { name: 'v', mountPath: '/s', subPathExpr: '$(NAME)/x' },
    ],
    terminationMessagePath: '/dev/termination-log',
  })
  assert.deepEqual(
    mounts.map(({ containerPath, hostPath, readonly = false }) => [containerPath, hostPath, readonly]),
    [
      ['/a', '/v', false],
      ['/rel', '/c', true],
      ['/s', '/v/n/x', false],
      ['/etc/hosts', '/hosts', false],
      ['/dev/termination-log', '/term', false],
    ],
  )
  assert.equal(mounts[0]?.propagation, 'PROPAGATION_BIDIRECTIONAL')
})

for (const [name, mount, message] of [
  ['no volume', { name: 'zzz', mountPath: '/a' }, /cannot find volume "zzz"/],
  ['an absolute part', { name: 'v', mountPath: '/a', subPathExpr: '/$(NAME)' }, /must not be an absolute path/],
  ['a part that leads out', { name: 'v', mountPath: '/a', subPath: 'x/../..' }, /must not contain '..'/],
  ['an expression without its variable', { name: 'v', mountPath: '/a', subPathExpr: '$(NONE)' }, /missing value/],
] as const) {
  test(`a mount with ${name} is refused`, () => assert.rejects(mountsOf({ volumeMounts: [mount] }), message))
}
