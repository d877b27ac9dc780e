import { daemonSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { daemonSetRow } from './daemonset-row.ts'

/** What a DaemonSet does. */
export const daemonSetDefinition = defineKind(daemonSets, {
  row: daemonSetRow,
  status: true,
})
