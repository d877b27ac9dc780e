/**
 * Replaces `$(NAME)` by what `valueOf` gives; a name that it does not know stays as it is written, and `$$` is one `$`.
 *
 *     expand('$(HOME)/$$(x) $(unknown)', (name) => (name === 'HOME' ? '/root' : undefined)) // '/root/$(x) $(unknown)'
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char !== '$' || at + 1 === text.length) {
      out += char
    } else if (text[at + 1] === '$') {
      out += '$'
      at++
    } else if (text[at + 1] === '(') {
      const end = text.indexOf(')', at + 2)
      if (end < 0) return out + text.slice(at)
      const name = text.slice(at + 2, end)
      out += valueOf(name) ?? `$(${name})`
      at = end
    } else {
      out += char
    }
  }
  return out
}
