/** The name that was probably meant: the one that differs in fewest letters, case aside, if it is near enough. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let best: { readonly name: string; readonly off: number } | undefined
  for (const each of known) {
    const off = distance(each.toLowerCase(), wanted)
    if (off <= offMax && off * 2 <= name.length && off < (best?.off ?? Infinity)) best = { name: each, off }
  }
  return best?.name
}

/** Names that differ in more letters, or in more than half of them, are no slip. */
const offMax = 4

/** How many letters must be changed, added or removed to get from one text to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** ' at line 3, column 5' of the first line that sets `key`; '' when none does. */
export function position(text: string, key: string): string {
  const lines = text.split('\n')
  const line = lines.findIndex((each) => {
    const [begin = ''] = /^[\s\-{"']*/.exec(each) ?? []
    return each.startsWith(key, begin.length) && /^["']?\s*:/.test(each.slice(begin.length + key.length))
  })
  return line < 0 ? '' : ` at line ${line + 1}, column ${lines[line]!.indexOf(key) + 1}`
}
