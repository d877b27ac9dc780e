/** Where a proxied server is, as its client sees it: '/api/v1/namespaces/default/services/web/proxy'. */
export interface ProxiedAt {
  readonly prefix: string
  /** 'host:port' of the server itself. */
  readonly serverHost: string
  /** What the client calls us. */
  readonly requestHost: string
}

/** An address that the server wrote, so that it leads through the proxy: paths from the root, and addresses of the server itself. */
export function proxiedUrl(value: string, { prefix, serverHost, requestHost }: ProxiedAt): string {
  const match = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/i.exec(value.trim())
  if (!match) return value
  const [, scheme, host = '', path = '', rest = ''] = match
  if (scheme !== undefined && host === '') return value
  if ((host !== '' && host !== serverHost && host !== requestHost) || !path.startsWith('/')) return value
  return `${path.startsWith(prefix) ? '' : prefix}${path}${rest}`
}

/** The attributes that hold addresses. */
const attributes =
  'action|background|cite|classid|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap'
const tag = /<[a-z][^<>]*>/gi
const attribute = new RegExp(`(\\s(?:${attributes})\\s*=\\s*)("[^"]*"|'[^']*'|[^\\s"'>]+)`, 'gi')

/** A page with its addresses changed so that they lead through the proxy. */
export function proxiedPage(text: string, at: ProxiedAt): string {
  return text.replace(tag, (element) =>
    element.replace(attribute, (_all, before: string, quoted: string) => {
      const quote = /^["']/.test(quoted) ? quoted[0]! : ''
      const value = quote ? quoted.slice(1, -1) : quoted
      return `${before}${quote}${proxiedUrl(value, at)}${quote}`
    }),
  )
}
