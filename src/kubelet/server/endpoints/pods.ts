import { json, type Endpoint } from '../request.ts'

/** GET /pods: what the node runs, with the status that the kubelet made of it. */
export const pods: Endpoint = ({ server }) =>
  json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: server.kubelet.pods().map(bare) })

/** GET /runningpods/: those with a container that runs. */
export const runningPods: Endpoint = ({ server }) => {
  const items = server.kubelet
    .pods()
    .filter(({ status }) => status?.containerStatuses?.some(({ state }) => state?.running))
  return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: items.map(bare) })
}

/** Items of a list do not repeat what it says. */
const bare = (pod: object): object => ({ ...pod, kind: undefined, apiVersion: undefined })
