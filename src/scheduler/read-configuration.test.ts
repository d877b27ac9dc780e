import assert from 'node:assert/strict'
import test from 'node:test'
import { readSchedulerConfiguration } from './read-configuration.ts'

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'

test('a file with every sort of setting is read', () => {
  const config = readSchedulerConfiguration(`${head}parallelism: 8
clientConnection: { kubeconfig: /k, qps: 50, burst: 100 }
leaderElection: { leaderElect: true, leaseDuration: 20s }
enableProfiling: true
profiles:
- schedulerName: packed
  plugins:
    score: { enabled: [{ name: NodeResourcesFit, weight: 5 }], disabled: [{ name: '*' }] }
  pluginConfig:
  - name: NodeResourcesFit
    args: { apiVersion: kubescheduler.config.k8s.io/v1, kind: NodeResourcesFitArgs, scoringStrategy: { type: MostAllocated } }
  - name: PodTopologySpread
    args: { defaultingType: List, defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }] }
  - name: OfSomebodyElse
    args: { anything: goes }
`)
  assert.equal(config.clientConnection?.kubeconfig, '/k')
  assert.equal(config.leaderElection?.leaseDuration, '20s')
  assert.equal(config.profiles?.[0]?.pluginConfig?.[0]?.args?.scoringStrategy?.type, 'MostAllocated')
})

test('what is unknown is named, in the arguments of plugins too', () => {
  assert.throws(
    () => readSchedulerConfiguration(`${head}percentageOfNodesToScor: 5\n`),
    /unknown field "percentageOfNodesToScor" at line 3, column 1; did you mean percentageOfNodesToScore\?/,
  )
  const args = `${head}profiles:\n- pluginConfig:\n  - name: NodeResourcesFit\n    args: {scoringStrateg: {}}\n`
  assert.throws(() => readSchedulerConfiguration(args), {
    message:
      'decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeResourcesFit: strict decoding error: unknown field "scoringStrateg"; did you mean scoringStrategy?',
  })
  assert.throws(
    () => readSchedulerConfiguration(`${head}profiles: [{schedulerName: a}, {schedulerName: a}]\n`),
    /Duplicate value: "a"/,
  )
})
