/** True when two JSON values are the same; an absent field and one that is undefined are the same, an absent one and a null are not. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) return Array.isArray(right) && sameLists(left, right)
  return !Array.isArray(right) && sameMaps(left as Readonly<Record<string, unknown>>, right as Readonly<Record<string, unknown>>)
}

function sameLists(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i++) if (!sameJson(left[i], right[i])) return false
  return true
}

function sameMaps(left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  let fields = 0
  for (const name in left) {
    if (left[name] === undefined) continue
    fields++
    if (!sameJson(left[name], right[name])) return false
  }
  for (const name in right) if (right[name] !== undefined) fields--
  return fields === 0
}
