import { relieve } from './eviction/evict.ts'
import { evictGreedy } from './eviction/greedy.ts'
import { collectEnded } from './gc/container-gc.ts'
import { ImageGc } from './images/image-gc.ts'
import type { KubeletParts } from './kubelet-parts.ts'
import { rotateLogs } from './logs/rotate-logs.ts'
import { allocatableOf } from './node/allocatable.ts'
import { renewLease } from './node/lease.ts'
import { isMirrorPod } from './pod/containers.ts'

/** As upstream: ended containers are looked for every minute, images every five. */
const containerGcMs = 60_000
const imageGcMs = 300_000
/** What others wrote into a status that is ours is written over, but not at once. */
const statusReconcileMs = 10_000
/** Leftovers of pods, and mirrors that are missing. */
const sweepMs = 60_000
const mirrorMs = 10_000
/** A node that has just started is looked at this often, for this long, until it is ready. */
const startingLookMs = 50
const startingMs = 30_000
/** How often the node's resources are measured against the eviction thresholds. */
const evictionMs = 10_000

/** Starts everything that a kubelet does by itself; ends with the signal. Resolves when what runs is known. */
export async function runLoops(parts: KubeletParts, signal: AbortSignal): Promise<void> {
  const { options, pods, source, statics, reporter, pleg } = parts
  const { host, settings, log, recorder, nodeName } = options
  const background = (work: Promise<unknown>, what: string) =>
    void work.catch((error: unknown) => signal.aborted || log.error({ err: error }, `${what} failed`))

  parts.resolver = await host.machine.resolver(settings.resolvConf)
  const { capacity } = await reporter.read()
  await host.cgroups
    // Up to the eviction thresholds, too: pods must be able to pass them, else the kernel ends processes before the kubelet ends a pod.
    .prepareNode(allocatableOf(capacity ?? {}, { ...settings, evictionHard: {} }))
    .catch((error: unknown) => log.warn({ err: error }, 'the cgroups of pods could not be limited as a whole'))
  await pleg.start(signal)
  recorder.event(
    { reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } },
    'Normal',
    'Starting',
    'Starting kubelet.',
  )

  const off = source.on({
    changed: (pod) =>
      isMirrorPod(pod) ? background(statics.mirrored(pod), 'looking after a mirror pod') : pods.changed(pod),
    removed: (pod) => (isMirrorPod(pod) ? background(statics.mirror(), 'making mirror pods') : pods.removed(pod)),
  })
  signal.addEventListener('abort', off, { once: true })
  await statics.read()
  background(
    source.synced.then(() => becomeReady(parts)),
    'taking over what runs',
  )
  background(runNode(parts, signal), 'reporting the node')
  for (const [name, periodMs, work] of upkeep(parts)) background(repeat(parts, { name, periodMs, work, signal }), name)
}

/** From now on, what runs and has no pod is an orphan. */
async function becomeReady(parts: KubeletParts): Promise<void> {
  // A turn later: pods that were just told of have their workers then.
  await parts.pods.settled()
  parts.sourcesReady = true
  await parts.pleg.look()
  await parts.collector.sweep()
}

async function runNode(parts: KubeletParts, signal: AbortSignal): Promise<void> {
  const { reporter, options, statics } = parts
  const { settings, clock, nodeName, client, log } = options
  if (settings.registerNode) await reporter.register(signal)
  else await reporter.refresh()
  await statics.mirror()
  const lease = renewLease(
    {
      clock,
      log,
      random: options.random,
      metrics: options.metrics,
      client,
      nodeName,
      durationSeconds: settings.leaseDurationSeconds,
      nodeUid: () => reporter.node?.metadata.uid,
    },
    signal,
  )
  await reportUntilReady(parts, signal)
  await Promise.all([
    lease,
    repeat(parts, {
      name: 'reporting the node status',
      periodMs: settings.nodeStatusUpdateMs,
      signal,
      work: () => reportNode(parts),
    }),
  ])
}

/** The runtime learns of the Pod network within moments of a start: a node that waited for its next report would be of no use for ten seconds. */
async function reportUntilReady(parts: KubeletParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts.options
  const untilMs = clock.now() + startingMs
  while (!signal.aborted && clock.now() < untilMs) {
    await reportNode(parts).catch((error: unknown) => log.warn({ err: error }, 'reporting the node status failed'))
    if (parts.reporter.reading?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
      return
    await clock.sleep(startingLookMs, signal).catch(() => {}) // Aborted: the loop ends.
  }
}

async function reportNode(parts: KubeletParts): Promise<void> {
  const before = parts.node().networkFault
  await parts.reporter.report()
  // Pods that waited for the network need not wait any longer.
  if (before !== undefined && parts.node().networkFault === undefined)
    for (const { pod } of parts.pods.all()) parts.pods.wake(pod.metadata.uid ?? '')
}

type Upkeep = readonly [name: string, periodMs: number, work: () => Promise<void>]

/** What is done again and again. A machine without files and disks needs none of it. */
function upkeep(parts: KubeletParts): Upkeep[] {
  const { options, state, pods, collector, statics, pressure } = parts
  const { runtime, settings, host, clock, log, random, metrics, recorder, nodeName } = options
  if (!host.needsUpkeep) return []
  const images = new ImageGc({
    clock,
    log,
    random,
    metrics,
    runtime,
    machine: host.machine,
    settings,
    events: recorder,
    nodeName,
  })
  const resync = async () => {
    for (const { pod, life } of pods.all()) if (life === 'syncing') pods.wake(pod.metadata.uid ?? '')
  }
  return [
    ['syncing pods', settings.syncFrequencyMs, resync],
    ['collecting ended containers', containerGcMs, () => collectEnded(runtime, state.all())],
    ['collecting images', imageGcMs, () => images.collect()],
    [
      'rotating logs',
      settings.containerLogMonitorMs,
      () =>
        rotateLogs(state.all(), {
          clock,
          log,
          random,
          metrics,
          runtime,
          maxBytes: settings.containerLogMaxBytes,
          maxFiles: settings.containerLogMaxFiles,
        }),
    ],
    ['sweeping', sweepMs, async () => void (parts.sourcesReady && (await collector.sweep()))],
    ['reading static pods', settings.fileCheckFrequencyMs, () => statics.read()],
    ['making mirror pods', mirrorMs, () => statics.mirror()],
    ['reconciling statuses', statusReconcileMs, async () => parts.statuses.checkAll()],
    [
      'looking for shortage',
      evictionMs,
      async () => {
        const short = await pressure.observe()
        // Who took more than it may goes first: that may be all that it takes.
        if (!(await evictGreedy(parts))) await relieve(parts, short, (bytes) => images.free(bytes))
      },
    ],
  ]
}

interface Repeated {
  readonly name: string
  readonly periodMs: number
  readonly work: () => Promise<void>
  readonly signal: AbortSignal
}

/** A failure is said, and the next turn is another chance. */
async function repeat({ options }: KubeletParts, { name, periodMs, work, signal }: Repeated): Promise<void> {
  const { clock, log } = options
  while (!signal.aborted) {
    await clock.sleep(periodMs, signal).catch(() => undefined) // Aborted: the loop ends.
    if (signal.aborted) return
    await work().catch(
      (error: unknown) => signal.aborted || log.warn({ err: error }, `${name} failed; it is tried again`),
    )
  }
}
