import assert from 'node:assert/strict'
import test from 'node:test'
import { aContainer, aPod } from '../testing/pods.ts'
import { startSimulatedNode } from '../testing/simulated-node.ts'
import { podsToPreempt, shortfallText } from './preempt.ts'

type Amounts = Readonly<Record<string, string>>
const sized = (name: string, requests: Amounts, more: { limits?: Amounts; priority?: number } = {}) =>
  aPod(
    {
      priority: more.priority ?? 0,
      containers: [aContainer('main', { resources: { requests, ...(more.limits && { limits: more.limits }) } })],
    },
    { name },
  )
const burstable = (name: string, cpu: string, memory = '1Mi') => sized(name, { cpu, memory })
const guaranteed = (name: string, cpu: string) =>
  sized(name, { cpu, memory: '1Mi' }, { limits: { cpu, memory: '1Mi' } })
const critical = sized('critical', {}, { priority: 2_000_000_000 })
const short = (amounts: Readonly<Record<string, number>>) => new Map(Object.entries(amounts))

for (const [name, others, missing, want] of [
  ['burstable ones before guaranteed ones', [guaranteed('g', '1'), burstable('b', '1')], { cpu: 1000 }, 'b'],
  ['guaranteed ones for what is left', [guaranteed('g', '1'), burstable('b', '1')], { cpu: 1500 }, 'b,g'],
  ['the one that comes nearest', [burstable('small', '200m'), burstable('large', '900m')], { cpu: 800 }, 'large'],
  ['of two that suffice the smaller', [burstable('a', '2'), burstable('b', '1')], { cpu: 500 }, 'b'],
  [
    'those that ask for nothing, when it is the number of pods',
    [burstable('b', '1'), sized('e', {})],
    { pods: 1 },
    'e',
  ],
  [
    'never critical ones',
    [sized('other', { cpu: '2' }, { priority: 2_000_000_000 }), burstable('b', '1')],
    { cpu: 1 },
    'b',
  ],
] as const)
  test(`room for a critical pod make ${name}`, () =>
    assert.equal(
      podsToPreempt(critical, others, short(missing))
        .victims?.map(({ metadata }) => metadata.name)
        .join(),
      want,
    ))

test('when all together are not enough, nobody goes', () => {
  const { victims, lacking } = podsToPreempt(critical, [burstable('b', '1')], short({ cpu: 1500 }))
  assert.equal(victims, undefined)
  assert.equal(shortfallText(lacking!), '[(res: cpu, q: 500), ]')
})

const asking = (cpu: string) => ({
  terminationGracePeriodSeconds: 5,
  containers: [{ name: 'main', command: ['sh', '-c', 'sleep 1000'], resources: { requests: { cpu } } }],
})

test('a critical pod takes the place of others, which have failed and say why', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('web', asking('7'))
  await node.run('vital', { ...asking('2'), priorityClassName: 'system-node-critical' })
  await node.clock.advance(10_000)
  assert.equal((await node.pod('vital'))?.status?.phase, 'Running')
  const { status } = (await node.pod('web'))!
  assert.deepEqual(
    [status?.phase, status?.reason, status?.message],
    ['Failed', 'Preempting', 'Preempted in order to admit critical pod'],
  )
  const disrupted = status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.deepEqual(
    [disrupted?.reason, disrupted?.message],
    ['TerminationByKubelet', 'Pod was preempted by Kubelet to accommodate a critical pod.'],
  )
  assert.match(node.metrics.text(), /^kubelet_preemptions\{preemption_signal="cpu"\} 1$/m)
  assert.ok((await node.eventsOf('web')).includes('Warning Preempting Preempted in order to admit critical pod'))
})

test('a critical pod that fits nowhere is refused, and nobody goes for it', async (t) => {
  const node = await startSimulatedNode(t)
  await node.run('web', asking('7'))
  await node.run('vital', { ...asking('9'), priorityClassName: 'system-node-critical' })
  await node.clock.advance(10_000)
  assert.equal((await node.pod('web'))?.status?.phase, 'Running')
  const { status } = (await node.pod('vital'))!
  assert.deepEqual([status?.phase, status?.reason], ['Failed', 'UnexpectedAdmissionError'])
  assert.match(status?.message ?? '', /no set of running pods found to reclaim resources: \[\(res: cpu, q: 1000\), \]$/)
})
