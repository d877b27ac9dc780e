/** Only the name and the image: all else of a container cannot change while it runs, and the hash must not change with a version of the API. */
interface Hashed {
  readonly name: string
  readonly image?: string | undefined
}

/**
 * The hash by which a kubelet sees that a running container was made from another spec, in hexadecimal. It is upstream's (FNV-1a over Go's
 * printed form of the JSON bytes), so that changing kubelets restarts no container.
 */
export function specHash(container: Hashed): string {
  let hash = known.get(container)
  if (hash === undefined) known.set(container, (hash = compute(container)))
  return hash
}

/** Containers of specs do not change: each is hashed once. */
const known = new WeakMap<Hashed, string>()

function compute({ name, image }: Hashed): string {
  const json = Buffer.from(JSON.stringify({ image: image ?? '', name }))
  return fnv1a(`([]uint8)[${[...json].join(' ')}]`).toString(16)
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
