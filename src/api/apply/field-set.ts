import { compareSteps, isStep } from './path-element.ts'

/**
 * A set of field paths in the form that objects carry it, `fieldsV1`: a tree of steps in canonical order. A node without keys is a member; a node with children is one
 * when it has the key `.` too. At the root, no keys mean the empty set.
 *
 *     { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } } }      .metadata.labels and .metadata.labels.app
 *
 * Since it is what is stored, nothing has to be parsed or written when an object changes. Sets never change: every operation returns one that shares its unchanged
 * parts, and its very argument when nothing changes, so the cost of an update follows the size of the change.
 */
export interface FieldSet {
  readonly [step: string]: FieldSet
}

type Draft = Record<string, FieldSet>

/** A member without children; also the empty set at the root. */
export const leaf: FieldSet = Object.freeze({})

/** The set without members. */
export const noFields: FieldSet = leaf

/** Marks a node with children as a member. */
const self = '.'

/** True when nothing is in the set. */
export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** True when a node that is not the root is a member. */
export const isMember = (node: FieldSet): boolean => self in node || isEmpty(node)

/** A node of sorted children, as a member or not; undefined when it holds nothing. */
export function nodeOf(children: Draft | undefined, member: boolean): FieldSet | undefined {
  if (!children) return member ? leaf : undefined
  return member ? { [self]: leaf, ...children } : children
}

/** The same node as a member. */
export const asMember = (node: FieldSet | undefined): FieldSet =>
  !node || isEmpty(node) ? leaf : self in node ? node : { [self]: leaf, ...node }

/** Children out of order, put in order. */
export function sortedNode(children: Draft): FieldSet {
  const steps = Object.keys(children)
  if (inOrder(steps)) return children
  const out: Draft = {}
  for (const step of steps.sort(compareSteps)) out[step] = children[step]!
  return out
}

function inOrder(steps: readonly string[]): boolean {
  for (let i = 1; i < steps.length; i++) if (compareSteps(steps[i - 1]!, steps[i]!) > 0) return false
  return true
}

/** A set of these paths: lists of steps such as `['f:spec', 'f:replicas']`. */
export const setOf = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths.reduce<FieldSet>((set, path) => union(set, chain(path)), noFields)

const chain = (path: readonly string[]): FieldSet =>
  path.reduceRight<FieldSet>((node, step) => ({ [step]: node }), leaf)

/** Everything that is in either. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmpty(right)) return left
  return isEmpty(left) ? right : unionNodes(left, right)
}

function unionNodes(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left
  if (isEmpty(left)) return asMember(right)
  if (isEmpty(right)) return asMember(left)
  let out: Draft | undefined
  let added = false
  for (const step in right) {
    const mine = left[step]
    if (mine === undefined) {
      out ??= { ...left }
      out[step] = right[step]!
      added = true
    } else if (step !== self) {
      const merged = unionNodes(mine, right[step]!)
      if (merged !== mine) (out ??= { ...left })[step] = merged
    }
  }
  return out ? (added ? sortedNode(out) : out) : left
}

/** What is in both. */
export const intersection = (left: FieldSet, right: FieldSet): FieldSet =>
  left === right ? left : (intersectChildren(left, right) ?? noFields)

function intersectChildren(left: FieldSet, right: FieldSet): Draft | undefined {
  let out: Draft | undefined
  for (const step in left) {
    const other = right[step]
    if (other === undefined || step === self) continue
    const mine = left[step]!
    const node = mine === other ? mine : nodeOf(intersectChildren(mine, other), isMember(mine) && isMember(other))
    if (node) (out ??= {})[step] = node
  }
  return out
}

/** What is in `left` and not in `right`. A parent that is taken away leaves its children. */
export const difference = (left: FieldSet, right: FieldSet): FieldSet => subtract(left, right, false)

/** Like `difference`, but a member that is taken away takes its children along. */
export const differenceWithin = (left: FieldSet, right: FieldSet): FieldSet => subtract(left, right, true)

function subtract(left: FieldSet, right: FieldSet, within: boolean): FieldSet {
  if (left === right) return noFields
  if (isEmpty(left) || isEmpty(right)) return left
  return subtractChildren(left, right, within) ?? noFields
}

/** The children that stay, `left` itself when all do, undefined when none does. The key `.` is the caller's. */
function subtractChildren(left: FieldSet, right: FieldSet, within: boolean): FieldSet | undefined {
  let out: Draft | undefined
  for (const step in right) {
    const mine = left[step]
    if (mine === undefined || step === self) continue
    const kept = subtractNode(mine, right[step]!, within)
    if (kept === mine) continue
    out ??= { ...left }
    if (kept) out[step] = kept
    else delete out[step]
  }
  if (!out) return left
  return hasChildren(out) ? out : undefined
}

function subtractNode(mine: FieldSet, other: FieldSet, within: boolean): FieldSet | undefined {
  const taken = isMember(other)
  if (taken && within) return undefined
  if (isEmpty(mine)) return taken ? undefined : mine
  const kept = subtractChildren(mine, other, within)
  if (kept === mine && !(taken && self in mine)) return mine
  const member = self in mine && !taken
  if (!kept) return member ? leaf : undefined
  if (member === self in kept) return kept
  const { [self]: _, ...children } = kept
  return children
}

function hasChildren(node: FieldSet): boolean {
  for (const step in node) if (step !== self) return true
  return false
}

/** True when the path is a member. */
export function has(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set
  for (const step of path) if (!(node = node[step])) return false
  return path.length > 0 && isMember(node)
}

/** True when both have the same members. Canonical sets only. */
export function sameFields(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true
  for (const step in left) {
    const other = right[step]
    if (!other || !sameFields(left[step]!, other)) return false
  }
  for (const step in right) if (!(step in left)) return false
  return true
}

/** Every member's path: those of a level before those below, as upstream lists conflicts. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  for (const step in set) if (step !== self && isMember(set[step]!)) yield [...prefix, step]
  for (const step in set) if (step !== self) yield* pathsOf(set[step]!, [...prefix, step])
}

/** How deep a set from outside may be: deeper ones are refused before they exhaust the stack. */
const depthMax = 500

/**
 * A set from outside in canonical form: sorted, without steps that cannot be read, with `.` only where children are. The argument itself when it is canonical already,
 * undefined when it is no set.
 */
export function canonical(set: unknown): FieldSet | undefined {
  const node = canonicalNode(set as FieldSet, 0)
  if (!node || !(self in node)) return node
  const { [self]: _, ...children } = node
  return children
}

function canonicalNode(node: FieldSet, depth: number): FieldSet | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node) || depth > depthMax) return undefined
  let out: Draft | undefined
  let last: string | undefined
  let ordered = true
  for (const step in node) {
    if (last !== undefined && ordered && compareSteps(last, step) > 0) ordered = false
    last = step
    if (step === self) continue
    const child = isStep(step) ? canonicalNode(node[step]!, depth + 1) : undefined
    if (child === node[step]) continue
    out ??= { ...node }
    if (child) out[step] = child
    else delete out[step]
  }
  const result = out ?? node
  if (!hasChildren(result)) return isEmpty(result) ? result : leaf
  return ordered ? result : sortedNode(result)
}
