import { daemonSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a DaemonSet does. */
export const daemonSetDefinition = defineKind(daemonSets, {
  status: true,
})
