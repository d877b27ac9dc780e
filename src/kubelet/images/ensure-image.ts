import type { Container, Pod, Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { AuthConfig, Image, PodSandboxConfig } from '../../runtime/cri/generated/cri.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import { BackOff } from '../pod-worker/back-off.ts'
import { StartFailure } from '../pod-worker/start-failure.ts'
import { credentialsFor } from './credentials.ts'
import { withDefaultTag } from './image-name.ts'

/** Tells what happened to the image. */
export type ImageEvent = (type: 'Normal' | 'Warning', reason: string, message: string) => void

/** An image that is wanted. */
export interface ImageWish {
  readonly pod: Frozen<Pod>
  readonly image: string
  readonly policy: Frozen<Container>['imagePullPolicy']
  readonly secrets: readonly Frozen<Secret>[]
  readonly sandboxConfig: Init<PodSandboxConfig>
  readonly runtimeHandler: string
  readonly tell: ImageEvent
  /** Aborted when nobody waits for the image any more; a pull under way goes on by itself. */
  readonly signal?: AbortSignal | undefined
}

/** How long a failed pull waits: upstream's. */
const backOffFirstMs = 10_000
const backOffMaxMs = 300_000
/** A failed pull is shown as such for this long; then that it waits. Upstream looks again when it hears of the sandbox. */
const failureShownMs = 1000

/** Sees to it that images are on the node. Pulls one after the other where the configuration says so. */
export class Images {
  readonly #runtime: ContainerRuntime
  readonly #clock: Clock
  readonly #serialize: boolean
  readonly #backOff: BackOff
  readonly #lastFailure = new Map<string, string>()
  #pulls: Promise<unknown> = Promise.resolve()

  constructor(options: {
    readonly runtime: ContainerRuntime
    readonly clock: Clock
    readonly serializeImagePulls: boolean
  }) {
    this.#runtime = options.runtime
    this.#clock = options.clock
    this.#serialize = options.serializeImagePulls
    this.#backOff = new BackOff(options.clock, backOffFirstMs, backOffMaxMs)
  }

  /** The image, pulled when its policy asks for that. Rejects with a `StartFailure` whose reason the container's status shows. */
  async ensure(wish: ImageWish): Promise<{ readonly imageRef: string; readonly image: Image }> {
    const spec = {
      image: this.#named(wish),
      annotations: { ...wish.pod.metadata.annotations },
      runtimeHandler: wish.runtimeHandler,
    }
    if (wish.policy !== 'Always') {
      const present = await this.#inspect(wish, spec)
      if (present) {
        wish.tell(
          'Normal',
          'Pulled',
          `Container image "${wish.image}" already present on machine and can be accessed by the pod`,
        )
        return { imageRef: present.id, image: present }
      }
      if (wish.policy === 'Never') {
        const message = `Container image "${wish.image}" is not present with pull policy of Never`
        wish.tell('Warning', 'ErrImageNeverPull', message)
        throw new StartFailure('ErrImageNeverPull', message)
      }
    }
    return this.#pull(wish, spec)
  }

  /** A pod is gone: its waits are forgotten. */
  forgetPod(uid: string): void {
    this.#backOff.forget(`${uid}_`)
    for (const key of this.#lastFailure.keys()) if (key.startsWith(`${uid}_`)) this.#lastFailure.delete(key)
  }

  #named(wish: ImageWish): string {
    try {
      return withDefaultTag(wish.image)
    } catch (error) {
      const message = `Failed to apply default image tag "${wish.image}": ${(error as Error).message}`
      wish.tell('Warning', 'InspectFailed', message)
      throw new StartFailure('InvalidImageName', message)
    }
  }

  async #inspect(wish: ImageWish, spec: { readonly image: string }): Promise<Image | undefined> {
    try {
      return await this.#runtime.imageStatus(spec)
    } catch (error) {
      const message = `Failed to inspect image "${wish.image}": ${(error as Error).message}`
      wish.tell('Warning', 'InspectFailed', message)
      throw new StartFailure('ImageInspectError', message)
    }
  }

  async #pull(
    wish: ImageWish,
    spec: { readonly image: string },
  ): Promise<{ readonly imageRef: string; readonly image: Image }> {
    const key = `${wish.pod.metadata.uid}_${wish.image}`
    if (this.#backOff.waits(key)) {
      const message = `Back-off pulling image "${wish.image}"`
      wish.tell('Normal', 'BackOff', message)
      const before = this.#lastFailure.get(key)
      throw new StartFailure('ImagePullBackOff', before ? `${message}: ${before}` : message, this.#backOff.untilMs(key))
    }
    this.#lastFailure.delete(key)
    wish.tell('Normal', 'Pulling', `Pulling image "${wish.image}"`)
    const askedMs = this.#clock.now()
    try {
      const pulled = this.#inTurn(async () => {
        const startedMs = this.#clock.now()
        const imageRef = await this.#pullWithAny(spec, credentialsFor(spec.image, wish.secrets), wish.sandboxConfig)
        return { imageRef, pullMs: this.#clock.now() - startedMs }
      })
      const { imageRef, pullMs } = await untilAborted(pulled, wish.signal)
      const image = await this.#runtime.imageStatus({ ...spec, image: imageRef })
      if (!image) throw new Error(`image "${imageRef}" was pulled and is not there`)
      const waitedMs = this.#clock.now() - askedMs
      wish.tell(
        'Normal',
        'Pulled',
        `Successfully pulled image "${wish.image}" in ${seconds(pullMs)} (${seconds(waitedMs)} including waiting). Image size: ${image.size} bytes.`,
      )
      return { imageRef, image }
    } catch (error) {
      wish.signal?.throwIfAborted()
      const why = (error as Error).message
      wish.tell('Warning', 'Failed', `Failed to pull image "${wish.image}": ${why}`)
      this.#backOff.next(key, this.#clock.now())
      const failure = pullFailure(wish.image, why, this.#clock.now() + failureShownMs)
      this.#lastFailure.set(key, `${failure.reason}: ${failure.message}`)
      throw failure
    }
  }

  /** The first credentials that work; anonymous when there are none. */
  async #pullWithAny(
    spec: { readonly image: string },
    credentials: readonly Init<AuthConfig>[],
    sandboxConfig: Init<PodSandboxConfig>,
  ): Promise<string> {
    const failures: unknown[] = []
    for (const auth of credentials.length > 0 ? credentials : [undefined]) {
      try {
        return await this.#runtime.pullImage(spec, auth, sandboxConfig)
      } catch (error) {
        failures.push(error)
      }
    }
    throw failures.length === 1
      ? failures[0]
      : new Error(`[${failures.map((error) => (error as Error).message).join(', ')}]`)
  }

  async #inTurn<T>(pull: () => Promise<T>): Promise<T> {
    if (!this.#serialize) return pull()
    const turn = this.#pulls.then(pull)
    this.#pulls = turn.catch(() => undefined) // The next one's turn comes all the same; this failure is the caller's.
    return turn
  }
}

/** The work's result, or the signal's reason when that comes first. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
  })
}

/** Go's way to print milliseconds as a duration: 812ms, 1.5s. */
const seconds = (ms: number) => (ms < 1000 ? `${Math.round(ms)}ms` : `${Number((ms / 1000).toFixed(3))}s`)

function pullFailure(image: string, why: string, retryMs: number): StartFailure {
  for (const [mark, words] of [
    ['RegistryUnavailable', 'the registry is unavailable'],
    ['SignatureValidationFailed', 'the signature validation failed'],
  ] as const) {
    const at = why.indexOf(mark)
    if (at >= 0)
      return new StartFailure(
        mark,
        `image pull failed for ${image} because ${words}${why.slice(at + mark.length)}`,
        retryMs,
      )
  }
  return new StartFailure('ErrImagePull', why, retryMs)
}
