import type { ContainerStatus, Pod } from '../../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { containerSpec } from '../../pod/containers.ts'
import { parseLogOptions, type LogOptions } from '../logs/log-options.ts'
import { keptLines } from '../logs/kept-lines.ts'
import { readLog } from '../logs/read-log.ts'
import type { KubeletServerOptions } from '../kubelet-server.ts'
import { Refusal, type Endpoint } from '../request.ts'

/** GET /containerLogs/{namespace}/{pod}/{container} */
export const containerLogs: Endpoint = async ({ params, url, server, signal }) => {
  const { namespace = '', pod: name = '', container = '' } = params
  return {
    code: 200,
    contentType: 'text/plain',
    body: await containerLog(server, { namespace, name, container }, { query: url.searchParams, signal }),
  }
}

/** Where logs come from. */
export type LogKeeper = Pick<KubeletServerOptions, 'kubelet' | 'runtime' | 'clock'>

/** A container's log. Rejects with a `Refusal` when there is none, or the query makes no sense. */
export async function containerLog(
  keeper: LogKeeper,
  of: { readonly namespace: string; readonly name: string; readonly container: string },
  { query, signal }: { readonly query: URLSearchParams; readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const { namespace, name, container } = of
  const options = parseLogOptions(query, keeper.clock.now())
  if (options === 'undecodable') throw new Refusal(400, '{"message": "Unable to decode query."}')
  if (options === 'invalid') throw new Refusal(422, '{"message": "Invalid request."}')
  const pod = keeper.kubelet.pod({ namespace, name })
  if (!pod) throw new Refusal(404, `pod "${name}" does not exist`)
  if (!containerSpec(pod, container)) throw new Refusal(404, `container "${container}" not found in pod "${name}"`)
  return logOf(keeper, loggingContainer(pod, container, options.previous), options, signal)
}

async function logOf(
  { runtime, clock }: LogKeeper,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const runtimeId = id.replace(/^[^:]*:\/\//, '')
  const status = await runtime.containerStatus(runtimeId)
  if (!status) throw new Refusal(400, `unable to retrieve container logs for ${id}`)
  const isRunning = async () => (await runtime.containerStatus(runtimeId))?.state === 'CONTAINER_RUNNING'
  const { logLines } = runtime
  if (logLines) return keptLines({ clock, lines: () => logLines.call(runtime, runtimeId), isRunning }, options, signal)
  try {
    return await readLog({ clock, path: status.logPath, isRunning }, options, signal)
  } catch (error) {
    throw new Refusal(400, `failed to try resolving symlinks in path "${status.logPath}": ${(error as Error).message}`)
  }
}

/** The id of the container whose log is meant, as the pod's status tells it. Refuses, in upstream's words, when there is none. */
export function loggingContainer(pod: Frozen<Pod>, name: string, previous: boolean): string {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  const status = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (each) => each.name === name,
  )
  const where = `container "${name}" in pod "${pod.metadata.name}"`
  if (!status) throw new Refusal(400, `${where} is not available`)
  const last = status.lastState?.terminated
  const { running: runs, terminated, waiting } = status.state ?? {}
  if (previous) {
    if (!last?.containerID) throw new Refusal(400, `previous terminated ${where} not found`)
    return last.containerID
  }
  if (runs) return status.containerID ?? ''
  const ended = terminated?.containerID || last?.containerID
  if (ended) return ended
  if (terminated || last) throw new Refusal(400, `${where} is terminated`)
  throw new Refusal(
    400,
    waiting ? `${where} is waiting to start: ${reasonOf(waiting)}` : `${where} is waiting to start - no logs yet`,
  )
}

function reasonOf({ reason = '' }: NonNullable<NonNullable<Frozen<ContainerStatus>['state']>['waiting']>): string {
  if (reason === 'ErrImagePull') return "image can't be pulled"
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason
}
