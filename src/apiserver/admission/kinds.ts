import type { Kind } from '../../api/kind.ts'
import type { Resource } from '../../api/resource.ts'

/** Whether a kind is this resource, in whichever version. */
export const isResource = ({ resource }: Kind, wanted: Pick<Resource, 'group' | 'plural'>): boolean =>
  resource.plural === wanted.plural && resource.group === wanted.group
