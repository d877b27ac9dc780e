import assert from 'node:assert/strict'
import test from 'node:test'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { VirtualClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { SimulatedRuntime } from '../../runtime/simulated/simulated-runtime.ts'
import { aPod } from '../testing/pods.ts'
import { credentialsFor } from './credentials.ts'
import { Images, type ImageWish } from './ensure-image.ts'
import { parseImageName, withDefaultTag } from './image-name.ts'

for (const [image, want] of [
  ['nginx', ['docker.io', 'library/nginx', 'latest', '']],
  ['a/b:1', ['docker.io', 'a/b', '1', '']],
  ['localhost:5000/a', ['localhost:5000', 'a', 'latest', '']],
  ['registry.example/a/b@sha256:' + 'a'.repeat(64), ['registry.example', 'a/b', '', 'sha256:' + 'a'.repeat(64)]],
] as const) {
  test(`${image.slice(0, 30)} is taken apart`, () => {
    const { registry, repository, tag, digest } = parseImageName(image)
    assert.deepEqual([registry, repository, tag, digest], want)
  })
}

for (const image of ['', 'a b', 'a:b:c', 'a//b', 'registry.example/UPPER', 'a@sha256:short', 'a:-x']) {
  test(`"${image}" is no image`, () => assert.throws(() => parseImageName(image), /couldn't parse image name/))
}

test('a tag is added where there is none', () => {
  assert.deepEqual(['a', 'a:1', 'localhost:5000/a', `a@sha256:${'b'.repeat(64)}`].map(withDefaultTag), [
    'a:latest',
    'a:1',
    'localhost:5000/a:latest',
    `a@sha256:${'b'.repeat(64)}`,
  ])
})

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
const auths = {
  'registry.example': { auth: base64('u:p') },
  'https://registry.example/team/': { username: 'team', password: 't' },
  '*.example.net:5000': { username: 'glob' },
  'https://index.docker.io/v1/': { username: 'hub' },
}
const secret: Secret = {
  metadata: {},
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64({ auths }) },
}

for (const [image, want] of [
  ['registry.example/a', ['u']],
  ['registry.example/team/x', ['team', 'u']],
  ['eu.example.net:5000/a', ['glob']],
  ['eu.example.net/a', []],
  ['nginx', ['hub']],
  ['other.example/a', []],
] as const) {
  test(`credentials for ${image} are ${want.join(', ') || 'none'}`, () =>
    assert.deepEqual(
      credentialsFor(image, [secret]).map(({ username }) => username),
      want,
    ))
}

test('a secret that is no JSON gives no credentials', () => {
  assert.deepEqual(credentialsFor('nginx', [{ ...secret, data: { '.dockerconfigjson': base64('{') } }]), [])
})

function world(missing: boolean) {
  const clock = new VirtualClock()
  const runtime = new SimulatedRuntime({ clock, random: seededRandom(1), missingImage: () => missing })
  const events: string[] = []
  const images = new Images({ runtime, clock, serializeImagePulls: true })
  const wish = (policy: string, image = 'i:1'): ImageWish => ({
    pod: aPod(),
    image,
    policy,
    secrets: [],
    sandboxConfig: {},
    runtimeHandler: '',
    tell: (type, reason) => events.push(`${type} ${reason}`),
  })
  return { clock, runtime, images, wish, events }
}

test('an image is pulled once where it need not be new', async () => {
  const { images, wish, events } = world(false)
  await images.ensure(wish('IfNotPresent'))
  await images.ensure(wish('IfNotPresent'))
  await images.ensure(wish('Always'))
  assert.deepEqual(events, ['Normal Pulling', 'Normal Pulled', 'Normal Pulled', 'Normal Pulling', 'Normal Pulled'])
})

test('an image that may not be pulled must be there', async () => {
  const { images, wish } = world(false)
  await assert.rejects(images.ensure(wish('Never')), { reason: 'ErrImageNeverPull' })
  await assert.rejects(images.ensure(wish('Always', 'a b')), { reason: 'InvalidImageName' })
})

test('a pull that fails waits 10 s, then 20, up to five minutes', async () => {
  const { images, wish, clock } = world(true)
  const reasons: string[] = []
  for (let second = 0; second <= 35; second += 5) {
    await images.ensure(wish('Always')).catch((error: { reason: string }) => reasons.push(`${second} ${error.reason}`))
    await clock.advance(5000)
  }
  assert.deepEqual(reasons, [
    '0 ErrImagePull',
    '5 ImagePullBackOff',
    '10 ErrImagePull',
    '15 ImagePullBackOff',
    '20 ImagePullBackOff',
    '25 ImagePullBackOff',
    '30 ErrImagePull',
    '35 ImagePullBackOff',
  ])
})

test('who waits for a pull and is not wanted any more need not wait', async () => {
  const clock = new VirtualClock()
  const runtime = new SimulatedRuntime({ clock, random: seededRandom(1), latency: { pullMs: 60_000 } })
  const images = new Images({ runtime, clock, serializeImagePulls: true })
  const stop = new AbortController()
  const waiting = images.ensure({
    pod: aPod(),
    image: 'i:1',
    policy: 'Always',
    secrets: [],
    sandboxConfig: {},
    runtimeHandler: '',
    tell: () => undefined,
    signal: stop.signal,
  })
  await clock.settle()
  stop.abort(new Error('the pod ends'))
  await assert.rejects(waiting, /the pod ends/)
})
