import type { Container, ContainerStatus, PodSandbox } from '../../runtime/cri/generated/cri.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import { podUidLabel } from './labels.ts'
import { emptyPodState, type ContainerState, type PodState, type SandboxState } from './pod-state.ts'
import { containerState, ownerOf, sandboxState, type PodOwner } from './read-pod.ts'

/** What a relist found: pods that are not as they were before. */
export interface Relist {
  readonly changed: readonly string[]
  /** Every pod that has anything in the runtime. */
  readonly present: ReadonlySet<string>
}

interface Options {
  readonly runtime: ContainerRuntime
  /** What an ended container left to say. */
  readonly terminationMessage: (status: ContainerStatus) => Promise<string>
}

interface Entry {
  readonly state: PodState
  /** Which ids are in which state: two equal ones mean that nothing happened. */
  readonly signature: string
}

interface Listed {
  readonly sandboxes: PodSandbox[]
  readonly containers: Container[]
}

/** What of the pods is in the runtime, as last read. Details are asked for only where an id or its state is new. */
export class RuntimeState {
  readonly #options: Options
  #order = 0
  /** The mark of the last look at everything. */
  #relistedAt = -1
  readonly #pods = new Map<string, Entry>()
  readonly #containers = new Map<
    string,
    { readonly listed: string; readonly state: ContainerState; readonly readAt: number }
  >()
  readonly #sandboxes = new Map<
    string,
    { readonly listed: string; readonly state: SandboxState; readonly readAt: number }
  >()

  constructor(options: Options) {
    this.#options = options
  }

  /** A point in the order of things: what is read after it has seen all that was done before it. A count, since two things can happen in one millisecond. */
  mark(): number {
    return ++this.#order
  }

  /** A pod as it was read at the mark `since` or later; read again when what is known is older. */
  async pod(key: PodOwner, since: number): Promise<PodState> {
    const known = this.#pods.get(key.uid)
    if (known && known.state.observedAt >= since) return known.state
    // Only its worker makes anything of a pod, and says so by `since`: what the look at everything did not find is not there.
    if (!known && this.#relistedAt >= since) return emptyPodState(key.uid, key.name, key.namespace, this.#relistedAt)
    const at = this.mark()
    const labels = { [podUidLabel]: key.uid }
    const [sandboxes, containers] = await Promise.all([
      this.#options.runtime.listSandboxes({ labels }),
      this.#options.runtime.listContainers({ labels }),
    ])
    return this.#store(key, { sandboxes, containers }, at)
  }

  /** What is known without asking the runtime. */
  known(uid: string): PodState | undefined {
    return this.#pods.get(uid)?.state
  }

  /** Every pod that is known. */
  all(): PodState[] {
    return [...this.#pods.values()].map(({ state }) => state)
  }

  /** The pod that has a container or a sandbox of that id, as far as known. */
  ownerOf(id: string): PodOwner | undefined {
    return this.all().find(
      ({ containers, sandboxes }) => containers.some((one) => one.id === id) || sandboxes.some((one) => one.id === id),
    )
  }

  /** A sandbox that was just made, without a look at all else of its pod; undefined when it is gone again. */
  async madeSandbox(id: string): Promise<SandboxState | undefined> {
    const status = await this.#options.runtime.sandboxStatus(id)
    if (!status) return undefined
    const state = sandboxState({ id }, status)
    this.#sandboxes.set(id, { listed: status.state, state, readAt: this.#order })
    return state
  }

  /** The container's details are asked for anew next time: something other than its state has changed. */
  forgetContainer(containerId: string): void {
    this.#containers.delete(containerId)
  }

  /** Reads everything, and tells which pods changed since they were last read. */
  async relist(): Promise<Relist> {
    const at = this.mark()
    const [sandboxes, containers] = await Promise.all([
      this.#options.runtime.listSandboxes(),
      this.#options.runtime.listContainers(),
    ])
    const pods = groupByPod(sandboxes, containers)
    const changed: string[] = []
    for (const [uid, { key, listed }] of pods) {
      const before = this.#pods.get(uid)
      // What a worker read meanwhile is newer than this list.
      if (before && before.state.observedAt > at) continue
      if (before?.signature === signatureOf(listed)) {
        this.#pods.set(uid, { ...before, state: { ...before.state, observedAt: at } })
        continue
      }
      await this.#store(key, listed, at)
      changed.push(uid)
    }
    for (const [uid, { state }] of this.#pods) {
      if (pods.has(uid) || state.observedAt > at) continue
      if (state.sandboxes.length > 0 || state.containers.length > 0) changed.push(uid)
      this.#pods.delete(uid)
    }
    this.#relistedAt = at
    this.#forgetGone(new Set(containers.map(({ id }) => id)), new Set(sandboxes.map(({ id }) => id)), at)
    return { changed, present: new Set(pods.keys()) }
  }

  async #store(key: PodOwner, listed: Listed, at: number): Promise<PodState> {
    const [sandboxes, containers] = await Promise.all([
      Promise.all(listed.sandboxes.map((one) => this.#sandbox(one))),
      Promise.all(listed.containers.map((one) => this.#container(one))),
    ])
    const state: PodState = {
      ...emptyPodState(key.uid, key.name, key.namespace, at),
      sandboxes: sandboxes
        .filter((one) => one !== undefined)
        .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
      containers: containers
        .filter((one) => one !== undefined)
        .sort((a, b) => b.createdAtMs - a.createdAtMs || b.restartCount - a.restartCount),
    }
    this.#pods.set(key.uid, { state, signature: signatureOf(listed) })
    return state
  }

  async #sandbox(sandbox: PodSandbox): Promise<SandboxState | undefined> {
    const known = this.#sandboxes.get(sandbox.id)
    if (known?.listed === sandbox.state) return known.state
    const status = await this.#options.runtime.sandboxStatus(sandbox.id)
    if (!status) return undefined
    const state = sandboxState(sandbox, status)
    this.#sandboxes.set(sandbox.id, { listed: sandbox.state, state, readAt: this.#order })
    return state
  }

  async #container(container: Container): Promise<ContainerState | undefined> {
    const known = this.#containers.get(container.id)
    if (known?.listed === container.state) return known.state
    const status = await this.#options.runtime.containerStatus(container.id)
    if (!status) return undefined
    const lastWords = status.state === 'CONTAINER_EXITED' ? await this.#options.terminationMessage(status) : ''
    const state = containerState(container, status, lastWords)
    this.#containers.set(container.id, { listed: status.state, state, readAt: this.#order })
    return state
  }

  #forgetGone(containers: ReadonlySet<string>, sandboxes: ReadonlySet<string>, at: number): void {
    for (const [id, { readAt }] of this.#containers) if (!containers.has(id) && readAt < at) this.#containers.delete(id)
    for (const [id, { readAt }] of this.#sandboxes) if (!sandboxes.has(id) && readAt < at) this.#sandboxes.delete(id)
  }
}

const signatureOf = ({ sandboxes, containers }: Listed) =>
  [...sandboxes, ...containers]
    .map(({ id, state }) => `${id}:${state}`)
    .sort()
    .join(' ')

function groupByPod(sandboxes: readonly PodSandbox[], containers: readonly Container[]) {
  const pods = new Map<string, { readonly key: PodOwner; readonly listed: Listed }>()
  const of = (labels: Readonly<Record<string, string>>) => {
    const key = ownerOf(labels)
    if (!key) return undefined
    let pod = pods.get(key.uid)
    if (!pod) pods.set(key.uid, (pod = { key, listed: { sandboxes: [], containers: [] } }))
    return pod.listed
  }
  for (const sandbox of sandboxes) of(sandbox.labels)?.sandboxes.push(sandbox)
  for (const container of containers) of(container.labels)?.containers.push(container)
  return pods
}
