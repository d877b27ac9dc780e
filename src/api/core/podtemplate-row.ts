import type { PodTemplate } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { containerCells, labelCell, name } from '../table-format/cells.ts'

/** What `kubectl get podtemplates` shows. */
export const podTemplateRow = ({ metadata, template }: Frozen<PodTemplate>): Cell[] => [
  name({ metadata }),
  ...containerCells(template?.spec?.containers),
  labelCell(template?.metadata?.labels),
]
