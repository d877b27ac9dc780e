import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FieldErrors, field } from './field.ts'
import { checkIp, checkLegacyIp, cidrContains, cidrWarnings, ipText, ipWarnings, parseCidr, parseIp } from './ips.ts'

const problems = (check: typeof checkIp, text: string): number => {
  const errors = new FieldErrors()
  check(text, field('ip'), errors)
  return errors.list.length
}

test('addresses survive being written and read', () => {
  const bytes = fc.oneof(
    fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    fc.array(fc.nat(255), { minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(bytes, (address) => {
      // What begins as a mapped address is read as the shorter one.
      const mapped =
        address.length === 16 &&
        address.slice(0, 10).every((byte) => byte === 0) &&
        address[10] === 255 &&
        address[11] === 255
      fc.pre(!mapped)
      assert.deepEqual(parseIp(ipText(address))?.bytes, address)
      assert.equal(problems(checkIp, ipText(address)), 0)
    }),
  )
})

test('old fields take old spellings, new ones do not', () => {
  for (const text of ['010.0.0.1', '::ffff:10.0.0.1', '2001:DB8::1', '2001:db8:0:0::1']) {
    assert.equal(problems(checkLegacyIp, text), 0, text)
    assert.ok(problems(checkIp, text) > 0, text)
    assert.equal(ipWarnings(text, field('ip')).length, 1, text)
  }
  for (const text of ['', '10.0.0', '10.0.0.256', '1::2::3', 'fe80::1%eth0', '10.0.0.1 '])
    assert.ok(problems(checkLegacyIp, text) > 0, JSON.stringify(text))
})

test('networks know what is in them', () => {
  const inside = (cidr: string, ip: string) => cidrContains(parseCidr(cidr)!, parseIp(ip)!)
  assert.ok(inside('10.0.0.0/8', '10.255.1.2'))
  assert.ok(!inside('10.0.0.0/9', '10.128.0.0'))
  assert.ok(inside('2001:db8::/32', '2001:db8:ffff::1'))
  assert.ok(!inside('2001:db8::/32', '10.0.0.1'))
  assert.equal(parseCidr('10.0.0.0/33'), undefined)
  assert.equal(cidrWarnings('10.0.0.1/8', field('cidr')).length, 1)
})
