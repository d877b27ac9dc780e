import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Informer } from '../../client/informer/informers.ts'

const index = 'spec.nodeName'

/** Declares the index that `podsOnNode` reads. */
export const indexPodsByNode = (informer: Informer<Pod>): void =>
  informer.index(index, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []))

/** The pods that are bound to a node. */
export const podsOnNode = (informer: Informer<Pod>, node: string): readonly Frozen<Pod>[] => informer.by(index, node)
