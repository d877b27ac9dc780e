import type { ControllerDescriptor } from './descriptor.ts'

/** Several reconcilers that upstream has under one name, and that only make sense together. */
export const combined = (name: string, parts: readonly ControllerDescriptor[]): ControllerDescriptor => ({
  name,
  start(context) {
    const running = parts.map((part) => part.start(context))
    return {
      ready: Promise.all(running.map(({ ready }) => ready)).then(() => undefined),
      async close() {
        await Promise.all(running.map((part) => part.close()))
      },
    }
  },
})
