import type { Namespace } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get namespaces` shows. */
export const namespaceRow = (namespace: Frozen<Namespace>, nowMs: number): Cell[] => [
  name(namespace),
  namespace.status?.phase ?? '',
  age(namespace, nowMs),
]
