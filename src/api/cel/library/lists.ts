import { overload, type Overload } from '../functions.ts'
import { CelError, CelList, compareValues, Duration, equalValues, Uint, type Value } from '../values.ts'
import { checkedInt } from './standard.ts'

function isSorted({ items }: CelList): boolean {
  return items.every((item, i) => i === 0 || compareValues(items[i - 1]!, item) <= 0)
}

function sum({ items }: CelList, zero: Value): Value {
  return items.reduce<Value>((total, item) => {
    if (typeof total === 'bigint' && typeof item === 'bigint') return checkedInt(total + item)
    if (typeof total === 'number' && typeof item === 'number') return total + item
    if (total instanceof Uint && item instanceof Uint) return new Uint(total.value + item.value)
    if (total instanceof Duration && item instanceof Duration) return new Duration(total.ns + item.ns)
    // The sum of nothing known is a whole number until there is an item.
    if (total === zero) return item
    throw new CelError('no such overload')
  }, zero)
}

function extreme({ items }: CelList, name: string, better: (order: number) => boolean): Value {
  if (items.length === 0) throw new CelError(`${name} called on empty list`)
  return items.reduce((best, item) => (better(compareValues(item, best)) ? item : best))
}

const whole = ([list]: readonly Value[]): number => (list as CelList).items.length
const product = ([a, b]: readonly Value[]): number => (a as CelList).items.length * (b as CelList).items.length
const includes = (list: CelList, value: Value): boolean => list.items.some((item) => equalValues(item, value))
const containsAll = (a: CelList, b: CelList): boolean => b.items.every((item) => includes(a, item))

const orders = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'] as const
const zeros = { int: 0n, uint: new Uint(0n), double: 0, duration: new Duration(0n) } as const

/** Lists and sets. */
export const listLibrary: readonly Overload[] = [
  ...orders.flatMap((type) => [
    overload(`list<${type}>.isSorted(): bool`, isSorted, whole),
    overload(`list<${type}>.min(): ${type}`, (list: CelList) => extreme(list, 'min', (order) => order < 0), whole),
    overload(`list<${type}>.max(): ${type}`, (list: CelList) => extreme(list, 'max', (order) => order > 0), whole),
  ]),
  ...(['int', 'uint', 'double', 'duration'] as const).map((type) =>
    overload(`list<${type}>.sum(): ${type}`, (list: CelList) => sum(list, zeros[type]), whole),
  ),
  overload(
    'list<T>.indexOf(T): int',
    (list: CelList, value: Value) => BigInt(list.items.findIndex((item) => equalValues(item, value))),
    whole,
  ),
  overload(
    'list<T>.lastIndexOf(T): int',
    (list: CelList, value: Value) => BigInt(list.items.findLastIndex((item) => equalValues(item, value))),
    whole,
  ),
  overload('sets:contains(list<T>, list<T>): bool', containsAll, product),
  overload(
    'sets:equivalent(list<T>, list<T>): bool',
    (a: CelList, b: CelList) => containsAll(a, b) && containsAll(b, a),
    product,
  ),
  overload(
    'sets:intersects(list<T>, list<T>): bool',
    (a: CelList, b: CelList) => b.items.some((item) => includes(a, item)),
    product,
  ),
]
