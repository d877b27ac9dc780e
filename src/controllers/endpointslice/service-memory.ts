import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Context } from '../framework/controller.ts'
import { Pace } from './pace.ts'
import { TriggerTimes } from './trigger-times.ts'

/** What controllers of endpoints remember of Services, by their keys. */
export class ServiceMemory {
  readonly times = new TriggerTimes()
  readonly pace = new Pace()
  /** Services whose endpoints have hints because an annotation asks for them. */
  readonly hinted = new Set<string>()

  /** The Service is gone. */
  forget(key: string): void {
    this.times.forget(key)
    this.pace.forget(key)
    this.hinted.delete(key)
  }
}

/** The context of a controller of endpoints. */
export type ServiceContext = Context<Service, ServiceMemory>
