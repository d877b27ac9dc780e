import { nodes } from '../../api/generated/resources.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, nameOf } from '../../client/object.ts'
import { defineController, done, type Context, type Outcome } from '../framework/controller.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'

/** From how many nodes on how many seconds; on the way down a step is left only at the lower bound, so that the value does not flutter. */
const steps = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Infinity, seconds: 300 },
] as const

/** Which step holds now. */
interface Memory {
  step: number
}

/** Tells kubelets how long they may trust their copies of Secrets and ConfigMaps: longer in larger clusters. */
export const ttlController = defineController<Node, Memory>({
  name: 'ttl-controller',
  reconciles: nodes,
  matters: (node, old) => annotationsOf(node)[annotation] !== annotationsOf(old)[annotation],
  parallel: 5,
  memory: () => ({ step: 0 }),
  setup(c) {
    const count = () => {
      const before = c.memory.step
      c.memory.step = nextStep(before, c.of(nodes).list().length)
      if (c.memory.step !== before) for (const node of c.of(nodes).list()) c.enqueue(nameOf(node))
    }
    c.of(nodes).on({ added: count, deleted: count })
  },
  reconcile,
})

/** The step for so many nodes, coming from another one. */
export function nextStep(step: number, count: number): number {
  let next = step
  while (count > (steps[next]?.max ?? Infinity)) next++
  while (next > 0 && count < (steps[next]?.min ?? 0)) next--
  return next
}

async function reconcile(node: Frozen<Node>, c: Context<Node, Memory>): Promise<Outcome> {
  const wanted = String(steps[c.memory.step]?.seconds ?? 0)
  if (isBeingDeleted(node) || annotationsOf(node)[annotation] === wanted) return done
  await c.client.patch(
    nodes,
    { name: nameOf(node) },
    { metadata: { annotations: { [annotation]: wanted } } },
    { type: 'strategic' },
  )
  return done
}
