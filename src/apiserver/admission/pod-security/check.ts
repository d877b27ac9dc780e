import type { Container, PodSpec } from '../../../api/generated/types/core-v1.ts'
import type { ObjectMeta } from '../../../api/generated/types/meta-v1.ts'
import type { Frozen } from '../../../api/resource.ts'

/** A pod as the checks see it. `minor` is the version of the policy: 35 for v1.35. */
export interface Checked {
  readonly metadata: Frozen<ObjectMeta>
  readonly spec: Frozen<PodSpec>
  readonly containers: readonly Frozen<Container>[]
  readonly minor: number
}

/** What is wrong: in short, and in full. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

/** One rule of a level. */
export interface Check {
  readonly level: 'baseline' | 'restricted'
  /** The first version of the policy that has it. */
  readonly since?: number
  /** Rules of the restricted level say more than these of the baseline, which then say nothing. */
  readonly insteadOf?: Check
  readonly run: (pod: Checked) => Violation | undefined
}

/** `containers "a", "b"` or `container "a"`. */
export const named = (names: readonly string[]): string =>
  `${names.length === 1 ? 'container' : 'containers'} ${quoted(names)}`

/** Texts in quotes, joined by commas. */
export const quoted = (texts: Iterable<string>): string => [...texts].map((text) => JSON.stringify(text)).join(', ')

/** Unique texts in order. */
export const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort()

/** The containers of whom something holds, by name. */
export const namesWhere = (
  { containers }: Checked,
  test: (container: Frozen<Container>) => boolean | undefined,
): string[] => containers.filter(test).map(({ name }) => name)

/** A pod of its own user namespace on Linux may do more since v1.35. */
export const relaxed = ({ spec, minor }: Checked): boolean => minor >= 35 && spec.hostUsers === false
