import type { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'

/** A node that runs no containers. */
export interface SimulatedNode {
  readonly name: string
  /** What "runs" on it: containers can be looked at and ended there. */
  readonly runtime: SimulatedRuntime
  /** Ends the node as a crash would: its Lease is renewed no longer. */
  stop(): Promise<void>
}
