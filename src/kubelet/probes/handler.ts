import type { Container, HTTPHeader } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** A port by its number or by its name among the container's. Throws when there is none. */
export function portOf(port: number | string, container: Frozen<Container>): number {
  const number =
    typeof port === 'number'
      ? port
      : (container.ports?.find(({ name }) => name === port)?.containerPort ??
        (/^\d+$/.test(port) ? Number(port) : undefined))
  if (number === undefined) throw new Error(`couldn't find port: "${port}"`)
  if (number < 1 || number > 65_535) throw new Error(`invalid port number: ${number}`)
  return number
}

/** The request's headers: the user's, and those that they left to us. An empty user agent or `Accept` means: send none. */
export function headerList(headers: readonly Frozen<HTTPHeader>[] | undefined, agent: string): [string, string][] {
  const list = (headers ?? []).map(({ name, value }): [string, string] => [name, value ?? ''])
  const has = (wanted: string) => list.some(([name]) => name.toLowerCase() === wanted)
  if (!has('user-agent')) list.push(['User-Agent', `${agent}/1.35`])
  if (!has('accept')) list.push(['Accept', '*/*'])
  return list.filter(([name, value]) => value !== '' || !['user-agent', 'accept'].includes(name.toLowerCase()))
}
