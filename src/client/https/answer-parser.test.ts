import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerParser } from './answer-parser.ts'

/** Feeds an answer in pieces of a size; tells what came of it. */
function read(text: string, size: number) {
  const seen = { code: 0, retryAfter: '', body: '' }
  const parser = new AnswerParser({
    head(code, headers) {
      seen.code = code
      seen.retryAfter = headers.get('retry-after') ?? ''
    },
    data: (piece) => void (seen.body += piece.toString('latin1')),
  })
  const bytes = Buffer.from(text, 'latin1')
  let done = false
  for (let at = 0; at < bytes.length; at += size) done = parser.feed(bytes.subarray(at, at + size))
  return { ...seen, done, ended: parser.ended(), keepsAlive: parser.keepsAlive, seconds: parser.keepAliveSeconds }
}

const whole = { code: 200, retryAfter: '', body: '', done: true, ended: true, keepsAlive: true, seconds: undefined }

for (const [name, text, want] of [
  ['a counted body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { ...whole, body: 'hello' }],
  ['an empty body', 'HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n', { ...whole, code: 201 }],
  ['no body at all', 'HTTP/1.1 204 No Content\r\n\r\n', { ...whole, code: 204 }],
  [
    'chunks with an extension and a trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n00a\r\n 123456789\r\n0\r\nx: y\r\n\r\n',
    { ...whole, body: 'hello 123456789' },
  ],
  [
    'an answer after hints',
    'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 429\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n',
    { ...whole, code: 429, retryAfter: '7' },
  ],
  [
    'how long the connection is kept',
    'HTTP/1.1 200 OK\r\nkeep-alive: max=9, timeout=5\r\ncontent-length: 0\r\n\r\n',
    { ...whole, seconds: 5 },
  ],
  [
    'that the connection is not kept',
    'HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n',
    { ...whole, keepsAlive: false },
  ],
  [
    'a body until the connection ends',
    'HTTP/1.1 200 OK\r\n\r\nall of it',
    { ...whole, body: 'all of it', done: false, keepsAlive: false },
  ],
  [
    'a body that breaks off',
    'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello',
    { ...whole, body: 'hello', done: false, ended: false },
  ],
] as const)
  test(`an answer's parser reads ${name}, whatever the pieces`, () => {
    for (let size = 1; size <= text.length; size++) assert.deepEqual(read(text, size), want, `pieces of ${size}`)
  })

for (const [name, text, message] of [
  ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', /does not speak HTTP/],
  ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\n', /length is 5, 6/],
  ['an encoding that it does not know', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n', /gzip/],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n', /without a size/],
  ['a chunk that is too long', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n', /longer than/],
  ['more than the answer', 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', /more than its answer/],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /switched protocols/],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}`, /head is longer/],
] as const)
  test(`an answer's parser refuses ${name}`, () => assert.throws(() => read(text, 80_000), message))
