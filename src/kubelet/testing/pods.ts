import type { Container, Pod, PodSpec } from '../../api/generated/types/core-v1.ts'
import type { ContainerState, PodState, SandboxState } from '../runtime-state/pod-state.ts'
import { specHash } from '../runtime-state/spec-hash.ts'

/** A pod with one container and no surprises. */
export const aPod = (spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod => ({
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', generation: 1, ...metadata },
  spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'i:1' }], ...spec },
})

/** A container of a spec. */
export const aContainer = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'i:1', ...more })

/** A sandbox that is ready. */
export const aSandbox = (more: Partial<SandboxState> = {}): SandboxState => ({
  id: 's0',
  ready: true,
  attempt: 0,
  createdAtMs: 0,
  hostNetwork: false,
  ips: ['10.0.0.1'],
  runtimeHandler: '',
  ...more,
})

/** A container in the runtime; it runs. */
export const aRunning = (name: string, more: Partial<ContainerState> = {}): ContainerState => ({
  id: `id-${name}`,
  name,
  sandboxId: 's0',
  phase: 'running',
  image: 'i:1',
  imageRef: 'sha256:1',
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  restartCount: 0,
  hash: specHash({ name, image: 'i:1' }),
  logPath: '',
  restored: { graceSeconds: undefined, preStop: undefined, ports: [] },
  user: undefined,
  stopSignal: undefined,
  resources: undefined,
  ...more,
})

/** One that has ended. */
export const anExited = (name: string, exitCode: number, more: Partial<ContainerState> = {}): ContainerState =>
  aRunning(name, {
    phase: 'exited',
    exitCode,
    finishedAtMs: 2,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    ...more,
  })

/** What the runtime has of `aPod`. */
export const aState = (
  containers: readonly ContainerState[],
  sandboxes: readonly SandboxState[] = [aSandbox()],
): PodState => ({ uid: 'uid-1', name: 'web', namespace: 'default', sandboxes, containers, observedAt: 1 })
