import assert from 'node:assert/strict'
import test from 'node:test'
import { proxiedPage, proxiedUrl } from './rewrite.ts'

const at = {
  prefix: '/api/v1/namespaces/default/services/web/proxy',
  serverHost: '10.244.0.5:8080',
  requestHost: 'localhost:8001',
}

for (const [what, url, want] of [
  ['a path from the root', '/login?next=%2F#top', `${at.prefix}/login?next=%2F#top`],
  ['the server’s own address', 'http://10.244.0.5:8080/a/', `${at.prefix}/a/`],
  ['what the client calls us', 'http://localhost:8001/a', `${at.prefix}/a`],
  ['a path that leads through the proxy already', `${at.prefix}/a`, `${at.prefix}/a`],
  ['a relative path', 'style.css', 'style.css'],
  ['another host', 'https://example.test/a', 'https://example.test/a'],
  ['no address of a host', 'mailto:me@example.test', 'mailto:me@example.test'],
  ['a fragment', '#top', '#top'],
] as const) {
  test(`an address is made to lead through the proxy: ${what}`, () => assert.equal(proxiedUrl(url, at), want))
}

test('a page’s addresses are changed, its text is not', () => {
  const page = `<a class="x" href="/a">/a</a><img src='/b.png'><form action=/c method=post><script>if (a < b) location = "/d"</script>`
  assert.equal(
    proxiedPage(page, at),
    `<a class="x" href="${at.prefix}/a">/a</a><img src='${at.prefix}/b.png'><form action=${at.prefix}/c method=post><script>if (a < b) location = "/d"</script>`,
  )
})
