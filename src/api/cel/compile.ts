import { RE2JS } from 're2js'
import { overloadFor, type FunctionTable } from './functions.ts'
import { emptyScope, type Budget, type Compiled, type Frame, type PartCompiler, type Run, type Scope } from './frame.ts'
import { expandMacro } from './macros.ts'
import { parse } from './parse.ts'
import { CelSyntaxError, located, type Node } from './syntax.ts'
import {
  bool,
  bytes,
  double,
  dyn,
  int,
  joined,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  string,
  typeText,
  typeType,
  uint,
  type CelType,
} from './types.ts'
import {
  CelError,
  CelList,
  CelMap,
  equalValues,
  Optional,
  parseDuration,
  parseTimestamp,
  TypeName,
  Uint,
  type Value,
} from './values.ts'

/** What expressions of one sort may use. */
export interface Language {
  readonly functions: FunctionTable
  readonly variables: Readonly<Record<string, CelType>>
  /** Types whose objects can be written as literals: `Object{spec: …}`. */
  readonly objectType?: ((name: string) => CelType | undefined) | undefined
  /** `cel.bind` gives names to values: selectors of devices have it, other expressions have not. */
  readonly bindings?: boolean
}

/** A whole expression, ready to run. */
export interface Program {
  readonly type: CelType
  /** The variables that it uses. */
  readonly names: ReadonlySet<string>
  /** Throws a CelError when it fails, a CelBudgetError when it costs too much. */
  evaluate(variables: Frame['variables'], budget: Budget): Value
}

/** Reads and checks an expression. Throws a CelSyntaxError whose message shows the place. */
export function compile(source: string, language: Language): Program {
  try {
    const compiler = new Compiler(language)
    const { type, run } = compiler.node(parse(source), emptyScope)
    return { type, names: compiler.names, evaluate: (variables, budget) => run({ variables, locals: [], budget }) }
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error
    throw new CelSyntaxError(located(source, error.at, error.message), error.at)
  }
}

/** The parts of an expression with their types: for what looks at expressions without running them. Throws a CelSyntaxError. */
export function checked(
  source: string,
  language: Language,
): { readonly node: Node; readonly types: ReadonlyMap<Node, CelType> } {
  const types = new Map<Node, CelType>()
  const node = parse(source)
  new Compiler(language, types).node(node, emptyScope)
  return { node, types }
}

const typeNames: Readonly<Record<string, string>> = {
  bool: 'bool',
  int: 'int',
  uint: 'uint',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  null_type: 'null_type',
  type: 'type',
  dyn: 'dyn',
}

/** Checks types and makes closures in one go. */
class Compiler implements PartCompiler {
  readonly language: Language
  readonly names = new Set<string>()
  readonly #types: Map<Node, CelType> | undefined
  /** How many calls of `format` are around what is compiled. */
  #formats = 0

  constructor(language: Language, types?: Map<Node, CelType>) {
    this.language = language
    this.#types = types
  }

  node(node: Node, scope: Scope): Compiled {
    const compiled = this.#compile(node, scope)
    this.#types?.set(node, compiled.type)
    return compiled
  }

  #compile(node: Node, scope: Scope): Compiled {
    switch (node.op) {
      case 'literal':
        return literal(node)
      case 'name':
        return this.#name(node, scope)
      case 'select':
        return this.#select(node, scope)
      case 'index':
        return this.#index(node, scope)
      case 'list':
        return this.#list(node, scope)
      case 'map':
        return this.#map(node, scope)
      case 'object':
        return this.#object(node, scope)
      case 'and':
      case 'or':
        return this.#logic(node, scope)
      case 'if':
        return this.#choice(node, scope)
      case 'call':
        return expandMacro(this, node, scope) ?? this.#call(node, scope)
    }
  }

  #name({ name, at }: Node & { op: 'name' }, scope: Scope): Compiled {
    const local = scope.names.get(name)
    if (local) return { type: local.type, run: ({ locals }) => locals[local.slot]! }
    if (Object.hasOwn(this.language.variables, name)) {
      this.names.add(name)
      return {
        type: this.language.variables[name]!,
        run({ variables, budget }) {
          budget.spend(1)
          const value = Object.hasOwn(variables, name) ? variables[name] : undefined
          if (value === undefined) throw new CelError(`no such attribute(s): ${name}`)
          return typeof value === 'function' ? value() : value
        },
      }
    }
    if (Object.hasOwn(typeNames, name)) {
      const value = new TypeName(name)
      return { type: typeType, run: () => value }
    }
    throw new CelSyntaxError(`undeclared reference to '${name}' (in container '')`, at)
  }

  #select(node: Node & { op: 'select' }, scope: Scope): Compiled {
    const { field, at, optional } = node
    const dotted = dottedName(node)
    if (dotted === 'google.protobuf.Timestamp' || dotted === 'google.protobuf.Duration') {
      const value = new TypeName(dotted)
      return { type: typeType, run: () => value }
    }
    // Some variables have a dot in their names.
    if (dotted !== undefined && Object.hasOwn(this.language.variables, dotted))
      return this.#name({ op: 'name', at, name: dotted }, scope)
    const of = this.node(node.of, scope)
    const through = of.type.kind === 'optional'
    const type = fieldType(through ? of.type.value : of.type, field, at)
    if (!optional && !through) return { type, run: (frame) => selected(of.run(frame), field, frame) }
    return {
      type: optionalOf(type.kind === 'optional' ? type.value : type),
      run(frame) {
        const value = of.run(frame)
        const base = value instanceof Optional ? value.value : value
        frame.budget.spend(1)
        const found = base instanceof CelMap ? base.get(field) : undefined
        return found instanceof Optional ? found : new Optional(found)
      },
    }
  }

  #index({ of: base, index: key, optional, at }: Node & { op: 'index' }, scope: Scope): Compiled {
    const of = this.node(base, scope)
    const index = this.node(key, scope)
    const through = of.type.kind === 'optional'
    const type = itemType(through ? of.type.value : of.type, index.type, at)
    if (!optional && !through) return { type, run: (frame) => indexed(of.run(frame), index.run(frame), frame) }
    return {
      type: optionalOf(type),
      run(frame) {
        const value = of.run(frame)
        const inside = value instanceof Optional ? value.value : value
        const at = index.run(frame)
        frame.budget.spend(1)
        if (inside instanceof CelMap) return new Optional(inside.get(at))
        return new Optional(inside instanceof CelList ? inside.items[Number(at as bigint)] : undefined)
      },
    }
  }

  #list({ items }: Node & { op: 'list' }, scope: Scope): Compiled {
    const parts = items.map(({ value, optional }) => ({ ...this.node(value, scope), optional }))
    let item: CelType | undefined
    parts.forEach(({ type, optional }, i) => {
      item = this.#joined(item, optional && type.kind === 'optional' ? type.value : type, items[i]!.value)
    })
    return {
      type: listOf(item ?? dyn),
      run(frame) {
        frame.budget.spend(1)
        return new CelList(parts.flatMap(({ run, optional }) => (optional ? present(run(frame)) : [run(frame)])))
      },
    }
  }

  #map({ entries }: Node & { op: 'map' }, scope: Scope): Compiled {
    const parts = entries.map(({ key, value, optional }) => ({
      key: this.node(key, scope),
      value: this.node(value, scope),
      optional,
    }))
    let [keyType, valueType]: (CelType | undefined)[] = []
    parts.forEach(({ key, value, optional }, i) => {
      const written = entries[i]!
      keyType = this.#joined(keyType, key.type, written.key)
      const { type } = value
      valueType = this.#joined(valueType, optional && type.kind === 'optional' ? type.value : type, written.value)
    })
    return {
      type: mapOf(keyType ?? dyn, valueType ?? dyn),
      run(frame) {
        frame.budget.spend(1)
        return CelMap.of(
          parts.flatMap(({ key, value, optional }) =>
            (optional ? present(value.run(frame)) : [value.run(frame)]).map((each) => [key.run(frame), each] as const),
          ),
        )
      },
    }
  }

  #object({ type: name, fields, at }: Node & { op: 'object' }, scope: Scope): Compiled {
    const type = this.language.objectType?.(name)
    if (!type) throw new CelSyntaxError(`undeclared reference to '${name}' (in container '')`, at)
    const parts = fields.map(({ name: field, value, optional, at: fieldAt }) => {
      if (type.kind === 'object' && !type.field(field)) throw new CelSyntaxError(`undefined field '${field}'`, fieldAt)
      return { field, optional, value: this.node(value, scope) }
    })
    return {
      type,
      run(frame) {
        frame.budget.spend(1)
        return CelMap.of(
          parts.flatMap(({ field, value, optional }) =>
            (optional ? present(value.run(frame)) : [value.run(frame)]).map((each) => [field, each] as const),
          ),
        )
      },
    }
  }

  #logic({ op, left, right, at }: Node & { op: 'and' | 'or' }, scope: Scope): Compiled {
    const [a, b] = [this.node(left, scope), this.node(right, scope)]
    for (const { type } of [a, b])
      if (type.kind !== 'bool' && type.kind !== 'dyn')
        throw new CelSyntaxError(
          `found no matching overload for '_${op === 'and' ? '&&' : '||'}_' applied to '(${typeText(a.type)}, ${typeText(b.type)})'`,
          at,
        )
    const decisive = op === 'or'
    return {
      type: bool,
      run(frame) {
        const first = attempt(a.run, frame)
        if (first === decisive) return decisive
        const second = attempt(b.run, frame)
        if (second === decisive) return decisive
        if (first instanceof Error) throw first
        if (second instanceof Error) throw second
        return !decisive
      },
    }
  }

  #choice(node: Node & { op: 'if' }, scope: Scope): Compiled {
    const [condition, then, otherwise] = [
      this.node(node.condition, scope),
      this.node(node.then, scope),
      this.node(node.else, scope),
    ]
    if (condition.type.kind !== 'bool' && condition.type.kind !== 'dyn')
      throw new CelSyntaxError(
        `found no matching overload for '_?_:_' applied to '(${typeText(condition.type)}, ${typeText(then.type)}, ${typeText(otherwise.type)})'`,
        node.at,
      )
    return {
      type: joined(then.type, otherwise.type),
      run(frame) {
        const value = condition.run(frame)
        if (typeof value !== 'boolean') throw new CelError('no such overload')
        return (value ? then : otherwise).run(frame)
      },
    }
  }

  /** The type of parts of one literal, which must have the same one, except in what `format` is given. */
  #joined(before: CelType | undefined, type: CelType, { at }: Node): CelType {
    const both = joined(before, type)
    if (before && both.kind === 'dyn' && before.kind !== 'dyn' && type.kind !== 'dyn' && this.#formats === 0)
      throw new CelSyntaxError(`expected type '${typeText(before)}' but found '${typeText(type)}'`, at)
    return both
  }

  #call(node: Node & { op: 'call' }, scope: Scope): Compiled {
    if (node.name !== 'format') return this.#callOf(node, scope)
    this.#formats++
    try {
      return this.#callOf(node, scope)
    } finally {
      this.#formats--
    }
  }

  #callOf({ name, target, args, at }: Node & { op: 'call' }, scope: Scope): Compiled {
    const { functions } = this.language
    const library = target && libraryName(target, scope, this.language)
    const full = library === undefined ? name : `${library}.${name}`
    const isMember = target !== undefined && (library === undefined || !functions.has(full))
    const parts = [...(isMember ? [this.node(target, scope)] : []), ...args.map((arg) => this.node(arg, scope))]
    const called = isMember ? name : full
    if (called === '_==_' || called === '_!=_') return equality(called, parts as [Compiled, Compiled], at)
    const types = parts.map(({ type }) => type)
    const found = functions.resolve(called, isMember, types)
    if (!found) {
      if (!functions.has(called)) throw new CelSyntaxError(`undeclared reference to '${called}' (in container '')`, at)
      throw new CelSyntaxError(
        `found no matching overload for '${called}' applied to '${isMember ? `${typeText(types[0]!)}.(${types.slice(1).map(typeText).join(', ')})` : `(${types.map(typeText).join(', ')})`}'`,
        at,
      )
    }
    checkLiterals(called, args)
    const { overloads, result } = found
    return {
      type: result,
      run(frame) {
        const values = parts.map(({ run }) => run(frame))
        // Which one is known only now where a type is: each counts its costs in arguments of its own types.
        const overload = overloadFor(overloads, values)
        frame.budget.spend(overload.cost ? 1 + overload.cost(values) : 1)
        return overload.run(...(values as never[]))
      },
    }
  }
}

/** What is written out is read at once, so that a mistake in it is told before it runs. */
function checkLiterals(name: string, args: readonly Node[]): void {
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined
  const text = args.at(-1)
  if (!read || text?.op !== 'literal' || typeof text.value !== 'string') return
  try {
    read(text.value)
  } catch {
    throw new CelSyntaxError(`invalid ${name} argument`, text.at)
  }
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  matches: (pattern) => RE2JS.compile(pattern),
  duration: parseDuration,
  timestamp: parseTimestamp,
}

/** The value, or the error that only counts when nothing else decides. */
function attempt(run: Run, frame: Frame): Value | CelError {
  try {
    const value = run(frame)
    return typeof value === 'boolean' ? value : new CelError('no such overload')
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

const present = (value: Value): Value[] =>
  value instanceof Optional ? (value.value === undefined ? [] : [value.value]) : [value]

function literal({ value }: Node & { op: 'literal' }): Compiled {
  if (value === null) return { type: nullType, run: () => null }
  if (typeof value === 'bigint') return { type: int, run: () => value }
  if (typeof value === 'number') return { type: double, run: () => value }
  if (typeof value === 'string') return { type: string, run: () => value }
  if (typeof value === 'boolean') return { type: bool, run: () => value }
  if (value instanceof Uint8Array) return { type: bytes, run: () => value }
  const unsigned = new Uint(value.uint)
  return { type: uint, run: () => unsigned }
}

function equality(name: '_==_' | '_!=_', [a, b]: [Compiled, Compiled], at: number): Compiled {
  if (joined(a.type, b.type).kind === 'dyn' && a.type.kind !== 'dyn' && b.type.kind !== 'dyn')
    throw new CelSyntaxError(
      `found no matching overload for '${name}' applied to '(${typeText(a.type)}, ${typeText(b.type)})'`,
      at,
    )
  return {
    type: bool,
    run(frame) {
      const [left, right] = [a.run(frame), b.run(frame)]
      frame.budget.spend(1 + Math.ceil(Math.min(sizeOf(left), sizeOf(right)) * 0.1))
      return equalValues(left, right) === (name === '_==_')
    },
  }
}

/** How large a value is, for what it costs to go through it. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  return value instanceof CelList ? value.items.length : value instanceof CelMap ? value.size : 1
}

function fieldType(type: CelType, field: string, at: number): CelType {
  if (type.kind === 'dyn') return dyn
  if (type.kind === 'map') return type.value
  if (type.kind !== 'object') throw new CelSyntaxError(`type '${typeText(type)}' does not support field selection`, at)
  const found = type.field(field)
  if (!found) throw new CelSyntaxError(`undefined field '${field}'`, at)
  return found.type
}

function itemType(type: CelType, index: CelType, at: number): CelType {
  if (type.kind === 'dyn') return dyn
  if (
    type.kind === 'list' &&
    (index.kind === 'int' || index.kind === 'uint' || index.kind === 'double' || index.kind === 'dyn')
  )
    return type.item
  if (type.kind === 'map' && joined(type.key, index) === type.key) return type.value
  if (type.kind === 'map' && (index.kind === 'dyn' || type.key.kind === 'dyn')) return type.value
  throw new CelSyntaxError(
    `found no matching overload for '_[_]' applied to '(${typeText(type)}, ${typeText(index)})'`,
    at,
  )
}

function selected(value: Value, field: string, { budget }: Frame): Value {
  budget.spend(1)
  if (!(value instanceof CelMap)) throw new CelError('no such overload')
  const found = value.get(field)
  if (found === undefined) throw new CelError(`no such key: ${field}`)
  return found
}

function indexed(value: Value, index: Value, { budget }: Frame): Value {
  budget.spend(1)
  if (value instanceof CelList) {
    const position = index instanceof Uint ? index.value : index
    if (typeof position !== 'bigint' && !(typeof position === 'number' && Number.isInteger(position)))
      throw new CelError('no such overload')
    const found = value.items[Number(position)]
    if (found === undefined) throw new CelError(`index out of bounds: ${position}`)
    return found
  }
  if (!(value instanceof CelMap)) throw new CelError('no such overload')
  const found = value.get(index)
  if (found === undefined) throw new CelError(`no such key: ${String(index as string)}`)
  return found
}

/** 'a.b' of names joined by dots; undefined for anything else. */
function dottedName(node: Node): string | undefined {
  if (node.op === 'name') return node.name
  if (node.op !== 'select' || node.optional) return undefined
  const of = dottedName(node.of)
  return of && `${of}.${node.field}`
}

/** The library that a call's target names, when it is no variable. */
function libraryName(target: Node, scope: Scope, { variables }: Language): string | undefined {
  const name = dottedName(target)
  const first = name?.split('.')[0]
  return first === undefined || scope.names.has(first) || Object.hasOwn(variables, first) ? undefined : name
}
