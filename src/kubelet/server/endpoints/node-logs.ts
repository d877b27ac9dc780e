import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Refusal, type Endpoint, type KubeletAnswer } from '../request.ts'

/** GET /logs/{path}: the machine's log files. */
export const nodeLogs: Endpoint = async ({ params, server, url }): Promise<KubeletAnswer> => {
  const root = server.logsDir ?? '/var/log'
  const path = join(root, params['path'] ?? '')
  const real = await realpath(path).catch(() => undefined) // Not there: told below.
  if (!real || !(path === root || path.startsWith(root + sep))) throw new Refusal(404, '404 page not found')
  const info = await stat(real)
  if (info.isFile()) return { code: 200, contentType: 'text/plain; charset=utf-8', body: createReadStream(real) }
  if (!info.isDirectory()) throw new Refusal(404, '404 page not found')
  const entries = await readdir(real, { withFileTypes: true })
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
  const prefix = url.pathname.endsWith('/') ? '' : `${url.pathname.split('/').at(-1)}/`
  const lines = names.map(
    (name) =>
      `<a href="${prefix}${encodeURI(name)}">${name.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</a>\n`,
  )
  return {
    code: 200,
    contentType: 'text/html; charset=utf-8',
    body: `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('')}</pre>\n`,
  }
}
