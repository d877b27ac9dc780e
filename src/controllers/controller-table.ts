import type { ControllerDescriptor } from './framework/descriptor.ts'

/** Every controller, in the order in which they start. */
export const controllerTable: readonly ControllerDescriptor[] = []
