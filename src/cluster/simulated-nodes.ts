import type { Deps } from '../base/deps.ts'
import type { Client } from '../client/client.ts'

/** Nodes that run no containers. */
export interface SimulatedNodesOptions extends Deps {
  readonly clientFor: (name: string) => Client
  readonly names: readonly string[]
}

/** Starts simulated nodes: the same kubelet on a runtime that runs nothing. */
export async function startSimulatedNodes(_options: SimulatedNodesOptions): Promise<{ close(): Promise<void> }> {
  throw new Error('simulated nodes')
}
