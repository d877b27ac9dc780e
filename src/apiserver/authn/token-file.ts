import type { Finding, TokenAuthenticator } from './authenticator.ts'
import { withAuthenticatedGroup, type User } from './user.ts'

/** Static tokens: a line each of `token,user,uid,"group1,group2"`. */
export function tokenFile(text: string): TokenAuthenticator {
  const users = new Map<string, { user: User }>()
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [token, name, uid, groups] = csvFields(line)
    if (!token || !name)
      throw new Error(
        `token file: line ${at + 1} needs at least a token and a user name: token,user,uid,"group1,group2"`,
      )
    const user = { name, ...(uid && { uid }), groups: groups ? groups.split(',').map((group) => group.trim()) : [] }
    users.set(token, { user: withAuthenticatedGroup(user) })
  }
  return { authenticateToken: (token): Finding => users.get(token) }
}

/** The fields of a line of comma-separated values, with double quotes around those that hold commas. */
function csvFields(line: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (quoted && char === '"' && line[i + 1] === '"') field += line[++i]
    else if (char === '"') quoted = !quoted
    else if (char === ',' && !quoted) {
      fields.push(field.trim())
      field = ''
    } else field += char
  }
  fields.push(field.trim())
  return fields
}
