import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/recorder.ts'
import type { Informers } from '../../client/informer/informers.ts'
import type { ControllerOptions } from '../options.ts'

/** What a controller is started with. */
export interface StartContext extends Deps {
  readonly client: Client
  readonly informers: Informers
  readonly options: ControllerOptions
  /** The recorder for events of this component; one each, shared. */
  recorder(component: string): EventRecorder
}

/** A controller that runs. */
export interface Running {
  /** Its caches are filled and it works. */
  readonly ready: Promise<void>
  /** Takes no more work; resolves when what was begun is done. */
  close(): Promise<void>
}

/** A controller as the table of controllers lists it. */
export interface ControllerDescriptor {
  /** Upstream's name: 'deployment-controller'. */
  readonly name: string
  /** Runs only when it is asked for by name. */
  readonly offByDefault?: boolean
  start(context: StartContext): Running
}
