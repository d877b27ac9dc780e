import type { IngressClass } from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get ingressclasses` shows. */
export function ingressClassRow(ingressClass: Frozen<IngressClass>, nowMs: number): Cell[] {
  const parameters = ingressClass.spec?.parameters
  const group = parameters?.apiGroup === undefined || parameters.apiGroup === null ? '' : `.${parameters.apiGroup}`
  return [
    name(ingressClass),
    ingressClass.spec?.controller ?? '',
    parameters ? `${parameters.kind}${group}/${parameters.name}` : '<none>',
    age(ingressClass, nowMs),
  ]
}
