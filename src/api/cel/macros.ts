import { inner, type Compiled, type Frame, type PartCompiler, type Run, type Scope } from './frame.ts'
import { CelSyntaxError, type Node } from './syntax.ts'
import { bool, dyn, int, listOf, mapOf, optionalOf, typeText, type CelType } from './types.ts'
import { CelError, CelList, CelMap, Optional, type Value } from './values.ts'

type Call = Node & { op: 'call' }

/** What looks like a call but takes expressions, not values: `has`, the quantifiers, `map`, `filter`. Undefined: it is an ordinary call. */
export function expandMacro(compiler: PartCompiler, call: Call, scope: Scope): Compiled | undefined {
  const { name, target, args } = call
  if (!target) return name === 'has' && args.length === 1 ? has(compiler, call, scope) : undefined
  if (compiler.language.bindings && isBinding(call)) return binding(compiler, call, scope)
  if (!comprehensions.has(name) || args[0]?.op !== 'name') return undefined
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return optionalMap(compiler, call, scope)
  const expected = counts[name]
  return expected?.includes(args.length) ? comprehension(compiler, call, scope) : undefined
}

const counts: Readonly<Record<string, readonly number[]>> = {
  all: [2, 3],
  exists: [2, 3],
  exists_one: [2, 3],
  existsOne: [2, 3],
  map: [2, 3],
  filter: [2],
  transformList: [3, 4],
  transformMap: [3, 4],
  transformMapEntry: [3, 4],
}
const comprehensions: ReadonlySet<string> = new Set([...Object.keys(counts), 'optMap', 'optFlatMap'])

function has(compiler: PartCompiler, { args, at }: Call, scope: Scope): Compiled {
  const [arg] = args
  if (arg?.op !== 'select') throw new CelSyntaxError('invalid argument to has() macro', arg?.at ?? at)
  // Checked as a whole, so that a field that cannot be there is an error.
  compiler.node(arg, scope)
  const of = compiler.node(arg.of, scope)
  return {
    type: bool,
    run(frame) {
      frame.budget.spend(1)
      const value = of.run(frame)
      const base = value instanceof Optional ? value.value : value
      if (base === undefined) return false
      if (!(base instanceof CelMap)) throw new CelError('no such overload')
      const found = base.get(arg.field)
      return found !== undefined && !(found instanceof Optional && found.value === undefined)
    },
  }
}

const isBinding = ({ name, target, args }: Call): boolean =>
  target?.op === 'name' && target.name === 'cel' && name === 'bind' && args.length === 3

function nameOf(node: Node | undefined, at: number): string {
  if (node?.op !== 'name') throw new CelSyntaxError('argument must be a simple name', node?.at ?? at)
  return node.name
}

function binding(compiler: PartCompiler, { args, at }: Call, scope: Scope): Compiled {
  const value = compiler.node(args[1]!, scope)
  const { scope: within, slots } = inner(scope, [[nameOf(args[0], at), value.type]])
  const body = compiler.node(args[2]!, within)
  return {
    type: body.type,
    run(frame) {
      frame.locals[slots[0]!] = value.run(frame)
      return body.run(frame)
    },
  }
}

function optionalMap(compiler: PartCompiler, { name, target, args, at }: Call, scope: Scope): Compiled {
  const of = compiler.node(target!, scope)
  const { scope: within, slots } = inner(scope, [
    [nameOf(args[0], at), of.type.kind === 'optional' ? of.type.value : dyn],
  ])
  const body = compiler.node(args[1]!, within)
  return {
    type: name === 'optFlatMap' ? body.type : optionalOf(body.type),
    run(frame) {
      const value = of.run(frame)
      if (!(value instanceof Optional)) throw new CelError('no such overload')
      if (value.value === undefined) return value
      frame.locals[slots[0]!] = value.value
      const result = body.run(frame)
      return name === 'optFlatMap' ? result : new Optional(result)
    },
  }
}

/** What a comprehension goes through: each step sets its variables. */
interface Range {
  readonly scope: Scope
  steps(frame: Frame): Iterable<void>
  keyOf(frame: Frame): Value
}

function comprehension(compiler: PartCompiler, call: Call, scope: Scope): Compiled {
  const { name, args } = call
  const of = compiler.node(call.target!, scope)
  const two = name.startsWith('transform') || ((name === 'all' || name.startsWith('exists')) && args.length === 3)
  const range = rangeOf(of, call, { two, scope })
  const rest = args.slice(two ? 2 : 1).map((arg) => compiler.node(arg, range.scope))
  const condition = (part: Compiled): Run => {
    if (part.type.kind !== 'bool' && part.type.kind !== 'dyn')
      throw new CelSyntaxError(`expected type 'bool' but found '${typeText(part.type)}'`, call.at)
    return part.run
  }
  switch (name) {
    case 'all':
      return quantifier(range, condition(rest[0]!), false)
    case 'exists':
      return quantifier(range, condition(rest[0]!), true)
    case 'exists_one':
    case 'existsOne':
      return exactlyOne(range, condition(rest[0]!))
    case 'filter': {
      const value = range.keyOf
      return { type: listOf(itemTypes(of.type, false)[0]), run: collect(range, condition(rest[0]!), value) }
    }
    case 'map':
    case 'transformList': {
      const result = rest.at(-1)!
      return {
        type: listOf(result.type),
        run: collect(range, rest.length === 2 ? condition(rest[0]!) : undefined, result.run),
      }
    }
    default:
      return mapping(range, rest, {
        entries: name === 'transformMapEntry',
        keyType: itemTypes(of.type, true)[0],
        condition,
      })
  }
}

/** The types of the variables: item, or index (key) and item. */
function itemTypes(type: CelType, two: boolean): [CelType, CelType] {
  if (type.kind === 'list') return two ? [int, type.item] : [type.item, dyn]
  if (type.kind === 'map') return [type.key, type.value]
  return [dyn, dyn]
}

function rangeOf(of: Compiled, { args, at }: Call, { two, scope }: { two: boolean; scope: Scope }): Range {
  const { kind } = of.type
  if (kind !== 'list' && kind !== 'map' && kind !== 'dyn')
    throw new CelSyntaxError(
      `expression of type '${typeText(of.type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      at,
    )
  const types = itemTypes(of.type, two)
  const names = two ? [nameOf(args[0], at), nameOf(args[1], at)] : [nameOf(args[0], at)]
  const { scope: within, slots } = inner(
    scope,
    names.map((name, i) => [name, types[i]!]),
  )
  const [first, second] = slots as [number, number | undefined]
  return {
    scope: within,
    *steps(frame) {
      const value = of.run(frame)
      const { locals, budget } = frame
      const entries: Iterable<readonly [Value, Value]> =
        value instanceof CelList
          ? value.items.map((item, i) => [BigInt(i), item] as const)
          : value instanceof CelMap
            ? value.keys().map((key) => [key, value.get(key)!] as const)
            : fail()
      for (const [key, item] of entries) {
        budget.spend(1)
        if (second === undefined) locals[first] = value instanceof CelList ? item : key
        else {
          locals[first] = key
          locals[second] = item
        }
        yield
      }
    },
    keyOf: ({ locals }) => locals[first]!,
  }
}

function fail(): never {
  throw new CelError('no such overload')
}

/** `exists` ends with the first that holds, `all` with the first that does not; an error counts only when nothing decides. */
function quantifier(range: Range, condition: Run, decisive: boolean): Compiled {
  return {
    type: bool,
    run(frame) {
      let failure: CelError | undefined
      for (const _ of range.steps(frame)) {
        try {
          const value = condition(frame)
          if (typeof value !== 'boolean') fail()
          if (value === decisive) return decisive
        } catch (error) {
          if (!(error instanceof CelError)) throw error
          failure = error
        }
      }
      if (failure) throw failure
      return !decisive
    },
  }
}

function exactlyOne(range: Range, condition: Run): Compiled {
  return {
    type: bool,
    run(frame) {
      let count = 0
      for (const _ of range.steps(frame)) if (condition(frame) === true) count++
      return count === 1
    },
  }
}

function collect(range: Range, condition: Run | undefined, result: Run): Run {
  return (frame) => {
    const out: Value[] = []
    for (const _ of range.steps(frame)) if (!condition || condition(frame) === true) out.push(result(frame))
    return new CelList(out)
  }
}

function mapping(
  range: Range,
  rest: readonly Compiled[],
  { entries, keyType, condition }: { entries: boolean; keyType: CelType; condition: (part: Compiled) => Run },
): Compiled {
  const result = rest.at(-1)!
  const when = rest.length === 2 ? condition(rest[0]!) : undefined
  return {
    type: entries ? result.type : mapOf(keyType, result.type),
    run(frame) {
      const out: (readonly [Value, Value])[] = []
      for (const _ of range.steps(frame)) {
        if (when && when(frame) !== true) continue
        const value = result.run(frame)
        if (!entries) out.push([range.keyOf(frame), value])
        else if (value instanceof CelMap) for (const key of value.keys()) out.push([key, value.get(key)!])
      }
      return CelMap.of(out)
    },
  }
}
