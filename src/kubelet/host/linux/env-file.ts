import { readFile, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** The value of a variable in an env file (`NAME=value` a line, `#` comments, single-quoted values taken as they are); undefined when it is not there. */
export async function envFileValue(volumePath: string, path: string, key: string): Promise<string | undefined> {
  const root = await realpath(volumePath)
  const file = await realpath(resolve(root, join('.', path)))
  if (!file.startsWith(`${root}/`)) throw new Error(`env file "${path}" is outside its volume`)
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const at = line.indexOf('=')
    if (at < 0 || line.trimStart().startsWith('#') || line.slice(0, at).trim() !== key) continue
    const value = line.slice(at + 1).trim()
    const quoted = /^(['"])(.*)\1$/s.exec(value)
    return quoted ? quoted[2]! : value
  }
  return undefined
}
