import type { Pod } from '../api/generated/types/core-v1.ts'
import type { Frozen } from '../api/resource.ts'
import type { EventRecorder } from '../client/events/recorder.ts'
import { containerFieldPath, isMirrorPod, isStaticPod } from './pod/containers.ts'
import type { PodEvents } from './pod-worker/services.ts'

/** Events about pods, as upstream's kubelet records them: those about a container name it by its field. */
export function podEvents(recorder: EventRecorder): PodEvents {
  const reference = (pod: Frozen<Pod>, fieldPath?: string) => ({
    reference: {
      kind: 'Pod',
      apiVersion: 'v1',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      // A static pod is known to the API by its mirror, whose UID is the static pod's hash there.
      uid: pod.metadata.uid ?? '',
      ...(pod.metadata.resourceVersion &&
        !isStaticPod(pod) &&
        !isMirrorPod(pod) && { resourceVersion: pod.metadata.resourceVersion }),
      ...(fieldPath && { fieldPath }),
    },
  })
  return {
    pod: (pod, type, reason, message) => recorder.event(reference(pod), type, reason, message),
    container: ({ pod, container }, type, reason, message) =>
      recorder.event(reference(pod, containerFieldPath(pod, container.name)), type, reason, message),
  }
}
