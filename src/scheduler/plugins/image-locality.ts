import type { NodeInfo } from '../cache/node-info.ts'
import { definePlugin, scoreMax, skip, type World } from '../framework.ts'

const mebibyte = 1024 * 1024
/** Images smaller than this in all do not count … */
const minBytes = 23 * mebibyte
/** … and for each container, no more than this counts. */
const maxContainerBytes = 1000 * mebibyte

/** An image name as nodes list it: with a tag. */
const tagged = (image: string) =>
  image.lastIndexOf(':') > image.lastIndexOf('/') || image.includes('@') ? image : `${image}:latest`

/** Prefers nodes that have the Pod's images; an image counts the less, the fewer nodes have it, so that one node is not flooded. */
export const imageLocality = definePlugin<undefined, readonly string[]>({
  name: 'ImageLocality',
  nodeLocal: true,
  events: [],
  preScore({ pod: { spec } }) {
    const names = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ image }) => tagged(image ?? ''))
    return names.length ? names : skip
  },
  score(names, node, _, world) {
    let bytes = 0
    for (const name of names) bytes += weighedSize(name, node, world)
    const max = maxContainerBytes * names.length
    if (bytes < minBytes) return 0
    return Math.trunc((scoreMax * (Math.min(bytes, max) - minBytes)) / (max - minBytes))
  },
})

function weighedSize(name: string, node: NodeInfo, { cache }: World): number {
  const size = node.images.get(name)
  return size === undefined ? 0 : Math.trunc((size * cache.nodesWithImage(name)) / cache.nodes.length)
}
