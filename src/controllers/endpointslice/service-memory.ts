import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Context } from '../framework/controller.ts'
import { Pace } from './pace.ts'
import { TriggerTimes } from './trigger-times.ts'

/** What controllers of endpoints remember of Services, by their keys. */
export class ServiceMemory {
  readonly times = new TriggerTimes()
  readonly pace = new Pace()

  /** The Service is gone. */
  forget(key: string): void {
    this.times.forget(key)
    this.pace.forget(key)
  }
}

/** The context of a controller of endpoints. */
export type ServiceContext = Context<Service, ServiceMemory>
