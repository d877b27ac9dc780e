import { horizontalPodAutoscalers, pods } from '../../api/generated/resources.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
} from '../../api/generated/types/autoscaling-v2.ts'
import { isConflict } from '../../api/errors/api-error.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'
import { discover, type DiscoveredResource } from '../../client/discovery.ts'
import { isBeingDeleted, nameOf, namespaceOf, timestamp } from '../../client/object.ts'
import { withCondition } from '../framework/conditions.ts'
import { messageOf } from '../framework/context.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { withoutZeros } from '../framework/equality.ts'
import { MetricError, proposalFor, type Proposal, type Target } from './metric-proposals.ts'
import { toleranceOf } from './replica-count.ts'
import { beginWith, limit, noteScaling, type ScalingHistory } from './scaling-behavior.ts'

type Autoscaler = Frozen<HorizontalPodAutoscaler>
type Condition = Frozen<HorizontalPodAutoscalerCondition>
/** By key of the autoscaler. */
type Memory = Map<string, ScalingHistory>
type C = Context<HorizontalPodAutoscaler, Memory>

interface Scale {
  readonly metadata?: object
  readonly spec?: { readonly replicas?: number }
  readonly status?: { readonly replicas?: number; readonly selector?: string }
}

/** What an autoscaler scales, as it was found. */
interface Scalable {
  readonly resource: DiscoveredResource
  readonly key: ObjectKey
  readonly scale: Scale
}

/** How often a size is written before the failure is told. */
const attemptsMax = 5

/** Follows metrics with the number of a workload's pods. */
export const horizontalPodAutoscalerController = defineController<HorizontalPodAutoscaler, Memory>({
  name: 'horizontal-pod-autoscaler-controller',
  component: 'horizontal-pod-autoscaler',
  reconciles: horizontalPodAutoscalers,
  reads: [pods],
  // Its own status is no reason to look again: it looks every 15 seconds.
  matters: (hpa, old) =>
    hpa.metadata.generation !== old.metadata.generation || JSON.stringify(hpa.spec) !== JSON.stringify(old.spec),
  events: [
    'SuccessfulRescale',
    'FailedRescale',
    'FailedGetScale',
    'FailedGetResourceMetric',
    'FailedGetContainerResourceMetric',
    'FailedGetPodsMetric',
    'FailedGetObjectMetric',
    'FailedGetExternalMetric',
    'InvalidMetricSourceType',
    'FailedComputeMetricsReplicas',
    'SelectorRequired',
  ],
  parallel: 5,
  memory: () => new Map(),
  setup(c) {
    const count = c.metrics.gauge(
      'horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers',
      'Current number of controlled HPA objects.',
    )
    c.metrics.onScrape(() => count.set(c.of(horizontalPodAutoscalers).list().length))
  },
  reconcile,
  gone: (key, c) => void c.memory.delete(key),
})

async function reconcile(hpa: Autoscaler, c: C): Promise<Outcome> {
  if (isBeingDeleted(hpa)) return done
  const round = new Round(hpa, c)
  await round.run()
  await c.writeStatus(hpa, round.status())
  return requeueAfter(c.options.hpaSyncPeriodMs)
}

/** One look of an autoscaler at its metrics: gathers conditions on the way. */
class Round {
  readonly #hpa: Autoscaler
  readonly #c: C
  readonly #history: ScalingHistory
  #conditions: readonly Condition[]
  #current = 0
  #desired = 0
  #metrics: readonly Proposal[] = []
  #scaled = false

  constructor(hpa: Autoscaler, c: C) {
    const key = `${namespaceOf(hpa)}/${nameOf(hpa)}`
    this.#hpa = hpa
    this.#c = c
    this.#history = c.memory.get(key) ?? { recommendations: [], ups: [], downs: [] }
    c.memory.set(key, this.#history)
    this.#conditions = hpa.status?.conditions ?? []
    this.#current = hpa.status?.currentReplicas ?? 0
    this.#desired = hpa.status?.desiredReplicas ?? 0
  }

  async run(): Promise<void> {
    let found: Scalable
    try {
      found = await this.#find()
    } catch (error) {
      this.#c.event(this.#hpa, 'Warning', 'FailedGetScale', messageOf(error))
      return this.#set(
        'AbleToScale',
        'False',
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`,
      )
    }
    this.#set(
      'AbleToScale',
      'True',
      'SucceededGetScale',
      "the HPA controller was able to get the target's current scale",
    )
    const size = found.scale.spec?.replicas ?? 0
    this.#current = size
    beginWith(this.#history, size, this.#c.clock.now())
    const wanted = await this.#wanted(size, found.scale)
    if (!wanted) return
    this.#desired = wanted.replicas
    if (wanted.replicas !== size) await this.#rescale(found, wanted)
  }

  status(): Frozen<HorizontalPodAutoscalerStatus> {
    const { status, metadata } = this.#hpa
    const next: Frozen<HorizontalPodAutoscalerStatus> = {
      ...status,
      observedGeneration: metadata.generation ?? 0,
      ...(this.#scaled && { lastScaleTime: timestamp(this.#c.clock.now()) }),
      currentReplicas: this.#current,
      desiredReplicas: this.#desired,
      currentMetrics: this.#metrics.map((proposal) => proposal.status),
      conditions: this.#conditions,
    }
    return withoutZeros(next, ['desiredReplicas', 'currentReplicas'])
  }

  async #find(): Promise<Scalable> {
    const { kind, name, apiVersion = '' } = this.#hpa.spec?.scaleTargetRef ?? { kind: '', name: '' }
    const resource = await this.#resourceOf(kind, apiVersion)
    const key = { namespace: namespaceOf(this.#hpa), name }
    return { resource, key, scale: await this.#c.client.getSubresource<Scale>(resource, key, 'scale') }
  }

  async #resourceOf(kind: string, apiVersion: string): Promise<DiscoveredResource> {
    const { resources } = await discover(this.#c.client)
    const found = resources.find(
      (each) => each.kind === kind && (each.group ? `${each.group}/${each.version}` : each.version) === apiVersion,
    )
    if (!found) throw new Error(`no matches for kind "${kind}" in group "${apiVersion}"`)
    return found
  }

  /** The size to have, and the reason for a change; undefined when nothing can be said. */
  async #wanted(size: number, scale: Scale): Promise<{ replicas: number; why: string } | undefined> {
    const { minReplicas = 1, maxReplicas = 1 } = this.#hpa.spec ?? {}
    if (size === 0 && minReplicas !== 0) {
      this.#set(
        'ScalingActive',
        'False',
        'ScalingDisabled',
        'scaling is disabled since the replica count of the target is zero',
      )
      return { replicas: 0, why: '' }
    }
    if (size > maxReplicas) return { replicas: maxReplicas, why: 'Current number of replicas above Spec.MaxReplicas' }
    if (size < minReplicas) return { replicas: minReplicas, why: 'Current number of replicas below Spec.MinReplicas' }
    const { replicas: observed = 0, selector = '' } = scale.status ?? {}
    const best = await this.#proposals({
      namespace: namespaceOf(this.#hpa),
      selector,
      current: size,
      observed,
      tolerance: toleranceOf(this.#hpa.spec?.behavior, this.#c.options.hpaTolerance),
    })
    if (!best) return undefined
    const spec = this.#hpa.spec
    if (!spec) return undefined
    const wish = { current: size, wanted: best.replicas, nowMs: this.#c.clock.now() }
    const decision = limit(spec, wish, this.#history, this.#c.options)
    this.#set('AbleToScale', 'True', decision.able.reason, decision.able.message)
    this.#set('ScalingLimited', decision.limited.status, decision.limited.reason, decision.limited.message)
    return {
      replicas: decision.replicas,
      why: decision.replicas > size ? `${best.name} above target` : 'All metrics below target',
    }
  }

  /** The highest of what the metrics ask for. */
  async #proposals(target: Target): Promise<Proposal | undefined> {
    if (target.selector === '') {
      this.#c.event(this.#hpa, 'Warning', 'SelectorRequired', 'selector is required')
      return void this.#set('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector")
    }
    const metrics = this.#hpa.spec?.metrics ?? []
    const results = await Promise.allSettled(metrics.map((metric) => proposalFor(metric, target, this.#c)))
    this.#metrics = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    for (const each of failures) this.#c.event(this.#hpa, 'Warning', reasonOf(each), messageOf(each))
    const [failure] = failures
    const best = this.#metrics.reduce<Proposal | undefined>(
      (highest, proposal) => (!highest || proposal.replicas > highest.replicas ? proposal : highest),
      undefined,
    )
    // A metric that is not known might want more: only going up is safe then.
    if (failure !== undefined && (!best || best.replicas < target.current))
      return void this.#failed(failure, metrics.length)
    if (best)
      this.#set(
        'ScalingActive',
        'True',
        'ValidMetricFound',
        `the HPA was able to successfully calculate a replica count from ${best.name}`,
      )
    return best
  }

  #failed(failure: unknown, count: number): void {
    const context = failure instanceof MetricError && failure.context !== '' ? `${failure.context}: ` : ''
    this.#c.event(
      this.#hpa,
      'Warning',
      'FailedComputeMetricsReplicas',
      `invalid metrics (${count - this.#metrics.length} invalid out of ${count}), first error is: ${context}${messageOf(failure)}`,
    )
    this.#set(
      'ScalingActive',
      'False',
      reasonOf(failure),
      `the HPA was unable to compute the replica count: ${messageOf(failure)}`,
    )
  }

  async #rescale(found: Scalable, { replicas, why }: { replicas: number; why: string }): Promise<void> {
    const size = this.#current
    const text = `New size: ${replicas}; reason: ${why}`
    try {
      await this.#writeSize(found, replicas)
    } catch (error) {
      this.#c.event(this.#hpa, 'Warning', 'FailedRescale', `${text}; error: ${messageOf(error)}`)
      this.#desired = size
      return this.#set(
        'AbleToScale',
        'False',
        'FailedUpdateScale',
        `the HPA controller was unable to update the target scale: ${messageOf(error)}`,
      )
    }
    this.#scaled = true
    noteScaling(this.#history, size, replicas, this.#c.clock.now())
    this.#set(
      'AbleToScale',
      'True',
      'SucceededRescale',
      `the HPA controller was able to update the target scale to ${replicas}`,
    )
    this.#c.event(this.#hpa, 'Normal', 'SuccessfulRescale', text)
  }

  /** On the newest scale where somebody, the target's own controller most often, was faster. */
  async #writeSize({ resource, key, scale }: Scalable, replicas: number): Promise<void> {
    const { client } = this.#c
    let current = scale
    for (let attempt = 1; ; attempt++) {
      try {
        const next = { ...current, spec: { ...current.spec, replicas } }
        return void (await client.updateSubresource(resource, key, 'scale', next))
      } catch (error) {
        if (!isConflict(error) || attempt >= attemptsMax) throw error
        current = await client.getSubresource<Scale>(resource, key, 'scale')
      }
    }
  }

  #set(type: string, status: string, reason: string, message: string): void {
    this.#conditions = withCondition(this.#conditions, {
      type,
      status,
      reason,
      message,
      lastTransitionTime: timestamp(this.#c.clock.now()),
    })
  }
}

const reasonOf = (failure: unknown): string =>
  failure instanceof MetricError ? failure.reason : 'FailedComputeMetricsReplicas'
