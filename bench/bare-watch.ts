// The least that a Node process can do for a watch: `node bare-watch.ts PORT CERT KEY`. Whoever posts an object has it sent to everybody who asked for `watch=1`, framed once,
// written to each socket. No store, no checks, no names.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { framedChunk } from '../src/apiserver/http/http1.ts'

const [port, certFile, keyFile] = process.argv.slice(2)
const watchers = new Set<Socket>()
/** As much as the API adds to an object: its identity, times and managed fields. */
const added = Buffer.from(`,"added":"${'x'.repeat(450)}"}\n`)

const http = createServer((request, response) => {
  if (request.url!.includes('watch=1')) {
    const { socket } = request
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    watchers.add(socket)
    socket.once('close', () => watchers.delete(socket))
    return
  }
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    const chunk = framedChunk([Buffer.from('{"type":"ADDED","object":'), ...pieces, added])
    response.end('{}')
    if (request.method === 'POST') for (const socket of watchers) socket.write(chunk)
  })
})
createTls({ cert: readFileSync(certFile!), key: readFileSync(keyFile!), noDelay: true })
  .on('secureConnection', (socket) => http.emit('connection', socket))
  .listen(Number(port), '127.0.0.1')
