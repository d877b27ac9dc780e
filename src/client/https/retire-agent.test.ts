import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { retire } from './retire-agent.ts'

test('an agent that is let go finishes what it carries, and keeps no connection', async (t) => {
  let answerSlow = () => {}
  const server = createServer((request, response) => {
    if (request.url === '/slow') answerSlow = () => response.end('done')
    else response.end('ok')
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  const ask = (path: string) => get({ agent, port, host: '127.0.0.1', path })
  const textOf = async (response: IncomingMessage) => (await response.setEncoding('utf8').toArray()).join('')

  const slow = ask('/slow')
  await once(server, 'request')
  const [quick] = (await once(ask('/'), 'response')) as [IncomingMessage]
  assert.equal(await textOf(quick), 'ok')
  retire(agent)
  answerSlow()
  const [answer] = (await once(slow, 'response')) as [IncomingMessage]
  const closed = once(answer.socket, 'close')
  assert.equal(await textOf(answer), 'done')
  await closed
  assert.deepEqual([Object.keys(agent.sockets), Object.keys(agent.freeSockets)], [[], []])
})
