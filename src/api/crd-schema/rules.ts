import { compile, type Language, type Program } from '../cel/compile.ts'
import { Budget } from '../cel/frame.ts'
import { baseFunctions } from '../cel/library/base.ts'
import { CelSyntaxError } from '../cel/syntax.ts'
import { optionalOf, type CelType } from '../cel/types.ts'
import { CelBudgetError, CelError, fromJson, Optional, type Value } from '../cel/values.ts'
import type { ValidationRule } from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'
import { FieldPath, type FieldErrors } from '../validation/field.ts'
import { Correlated } from './correlated.ts'
import { additionalOf, isObject, itemsOf, type JsonSchema } from './json-schema.ts'
import { celTypeOf } from './schema-type.ts'

type Rule = Frozen<ValidationRule>

/** What all rules of one object may cost, and each of them. Upstream's figures. */
const objectCostMax = 10_000_000
const ruleCostMax = 1_000_000

/** A rule that is ready to run, or why it cannot be. */
interface CompiledRule {
  readonly rule: Rule
  readonly program: Program | undefined
  readonly message: Program | undefined
  readonly problem: string | undefined
  readonly messageProblem: string | undefined
  readonly usesOld: boolean
}

const compiled = new WeakMap<JsonSchema, readonly CompiledRule[]>()

/** The rules of one part of a schema, compiled. */
export function rulesOf(schema: JsonSchema, root: boolean): readonly CompiledRule[] {
  let rules = compiled.get(schema)
  if (!rules) {
    const type = celTypeOf(schema, root || schema['x-kubernetes-embedded-resource'] === true)
    compiled.set(schema, (rules = (schema['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, type))))
  }
  return rules
}

/** What a rule of a part of that type may use. */
export const ruleLanguage = ({ optionalOldSelf }: Rule, type: CelType): Language => ({
  functions: baseFunctions(),
  variables: { self: type, oldSelf: optionalOldSelf ? optionalOf(type) : type },
})

function compileRule(rule: Rule, type: CelType | undefined): CompiledRule {
  const out = {
    rule,
    program: undefined,
    message: undefined,
    problem: undefined,
    messageProblem: undefined,
    usesOld: false,
  }
  if (!type) return { ...out, problem: 'rule is not supported on fields whose type is not known' }
  if (!(rule.rule ?? '').trim()) return out
  const language = ruleLanguage(rule, type)
  const attempt = (text: string, wanted: 'bool' | 'string'): Program | string => {
    try {
      const program = compile(text, language)
      if (program.type.kind === wanted || (wanted === 'bool' && program.type.kind === 'dyn')) return program
      return wanted === 'bool'
        ? 'cel expression must evaluate to a bool'
        : 'messageExpression must evaluate to a string'
    } catch (error) {
      if (error instanceof CelSyntaxError) return `compilation failed: ${error.message}`
      throw error
    }
  }
  const program = attempt(rule.rule, 'bool')
  const message = rule.messageExpression?.trim() ? attempt(rule.messageExpression, 'string') : undefined
  return {
    rule,
    program: typeof program === 'string' ? undefined : program,
    problem: typeof program === 'string' ? program : undefined,
    message: typeof message === 'string' ? undefined : message,
    messageProblem: typeof message === 'string' ? message : undefined,
    usesOld: typeof program !== 'string' && program.names.has('oldSelf'),
  }
}

/** One object's run of all rules. */
interface Running {
  readonly errors: FieldErrors
  left: number
}

/** What is known of the old value: it, and whether what changed can be told from here or only from around. */
interface Before {
  readonly old: unknown
  readonly correlated: Correlated | undefined
  readonly around: Correlated | undefined
}

/** Runs the rules of a schema on an object. */
export function validateRules(schema: JsonSchema, object: unknown, old: unknown, errors: FieldErrors): void {
  visit(
    schema,
    object,
    {
      at: new FieldPath(undefined, ''),
      root: true,
      before: {
        old,
        correlated: old === undefined ? undefined : new Correlated(object, old, schema),
        around: undefined,
      },
    },
    { errors, left: objectCostMax },
  )
}

interface Place {
  readonly at: FieldPath
  readonly root: boolean
  readonly before: Before
}

function visit(schema: JsonSchema, value: unknown, place: Place, running: Running): void {
  if (running.left < 0 || value === null || value === undefined || !hasRules(schema)) return
  runRules(schema, value, place, running)
  const { at, before } = place
  for (const part of schema.allOf ?? [])
    visit(part, value, { at, root: false, before: { ...before, correlated: undefined } }, running)
  const inside = (path: FieldPath, old: unknown, correlated: Correlated | undefined): Place => ({
    at: path,
    root: false,
    before: { old, correlated, around: before.correlated ?? before.around },
  })
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (!items) return
    value.forEach((item, i) => {
      const found = new Correlated(value, before.old, schema).index(i, items)
      visit(items, item, inside(at.index(i), found?.old, before.correlated?.index(i, items)), running)
    })
  } else if (isObject(value)) {
    const additional = additionalOf(schema)
    const old = isObject(before.old) && schema['x-kubernetes-map-type'] !== 'atomic' ? before.old : undefined
    for (const name of Object.keys(value)) {
      const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
      const part = property ?? (typeof additional === 'object' ? additional : undefined)
      if (!part) continue
      const path = property ? at.child(name) : at.key(name)
      const oldChild = old && Object.hasOwn(old, name) ? old[name] : undefined
      visit(part, value[name], inside(path, oldChild, before.correlated?.key(name, part)), running)
    }
  }
}

const known = new WeakMap<JsonSchema, boolean>()

/** Whether there are rules anywhere in a schema. */
export function hasRules(schema: JsonSchema): boolean {
  let has = known.get(schema)
  if (has === undefined) {
    const additional = additionalOf(schema)
    const items = itemsOf(schema)
    has =
      (schema['x-kubernetes-validations']?.length ?? 0) > 0 ||
      Object.values(schema.properties ?? {}).some(hasRules) ||
      (typeof additional === 'object' && hasRules(additional)) ||
      (items !== undefined && hasRules(items)) ||
      (schema.allOf?.some(hasRules) ?? false)
    known.set(schema, has)
  }
  return has
}

const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run'

/** How upstream names the place of the whole object. */
const nowhere = '<nil>'

function runRules(schema: JsonSchema, value: unknown, { at: place, root, before }: Place, running: Running): void {
  const rules = rulesOf(schema, root)
  if (rules.length === 0) return
  const at = place.toString() === '' ? new FieldPath(undefined, nowhere) : place
  const type = celTypeOf(schema, root || schema['x-kubernetes-embedded-resource'] === true)
  const self = type && fromJson(value, type)
  const oldSelf = type && before.old !== undefined && before.old !== null ? fromJson(before.old, type) : undefined
  for (const each of rules) {
    const { rule, program, problem, usesOld } = each
    if (problem) running.errors.invalid(at, schema.type, `rule compile error: ${problem}`)
    if (!program || (usesOld && oldSelf === undefined && !rule.optionalOldSelf)) continue
    const variables: Record<string, Value> = {
      self: self!,
      ...(rule.optionalOldSelf ? { oldSelf: new Optional(oldSelf) } : oldSelf !== undefined && { oldSelf }),
    }
    const budget = new Budget(Math.min(ruleCostMax, running.left))
    const given = budget.left
    let holds: boolean
    try {
      holds = program.evaluate(variables, budget) === true
    } catch (error) {
      if (!tellFailure(error, rule, { at, type: schema.type, running })) return
      holds = true
    }
    running.left -= given - budget.left
    if (!holds) tell(each, variables, { schema, value, at: place, before, running })
  }
}

const ruleText = ({ rule, message }: Rule): string => (message?.trim() ? message.trim() : rule.trim())

/** False: nothing further can be run. */
function tellFailure(
  error: unknown,
  rule: Rule,
  { at, type, running }: { at: FieldPath; type: string | undefined; running: Running },
): boolean {
  if (error instanceof CelBudgetError) {
    if (running.left < ruleCostMax) running.errors.invalid(at, type, outOfBudget)
    else
      running.errors.invalid(
        at,
        type,
        `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`,
      )
    running.left = -1
    return false
  }
  if (!(error instanceof CelError)) throw error
  const text = error.message.startsWith('no such overload')
    ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`
    : `${error.message} evaluating rule: ${ruleText(rule)}`
  running.errors.invalid(at, type, text)
  return true
}

interface Broken {
  readonly schema: JsonSchema
  readonly value: unknown
  readonly at: FieldPath
  readonly before: Before
  readonly running: Running
}

/** A rule that does not hold is no error where it did not hold before and nothing has changed. */
function tell(
  { rule, message, usesOld }: CompiledRule,
  variables: Record<string, Value>,
  { schema, value, at, before, running }: Broken,
): void {
  const unchanged = before.correlated?.unchanged ?? (before.correlated ? false : before.around?.unchanged)
  if (!usesOld && unchanged) return
  const text =
    (message && messageText(message, variables, running)) ??
    (rule.message?.trim() || `failed rule: ${rule.rule.trim()}`)
  const path =
    `${at.toString()}${rule.fieldPath?.trim() ?? ''}`.replace(/^\./, '').replace(/\['([^']*)'\]/g, '[$1]') || nowhere
  const shown = schema.type === 'object' || schema.type === 'array' ? undefined : JSON.stringify(value)
  const add = (
    reason: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate',
    head: string,
  ) => running.errors.list.push({ reason, field: path, message: `${head}: ${text}` })
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return void add('FieldValueForbidden', 'Forbidden')
    case 'FieldValueRequired':
      return void add('FieldValueRequired', 'Required value')
    case 'FieldValueDuplicate':
      return void add('FieldValueDuplicate', shown === undefined ? 'Duplicate value' : `Duplicate value: ${shown}`)
    default:
      return void add('FieldValueInvalid', shown === undefined ? 'Invalid value' : `Invalid value: ${shown}`)
  }
}

const messageLengthMax = 5 * 1024

/** What the rule's own message says; undefined when that fails or makes no message. */
function messageText(program: Program, variables: Record<string, Value>, running: Running): string | undefined {
  const budget = new Budget(Math.min(ruleCostMax, running.left))
  const given = budget.left
  try {
    const text = program.evaluate(variables, budget)
    running.left -= given - budget.left
    return typeof text === 'string' && text.trim() && !/[\n\r]/.test(text.trim()) && text.length <= messageLengthMax
      ? text.trim()
      : undefined
  } catch (error) {
    if (error instanceof CelError || error instanceof CelBudgetError) return undefined
    throw error
  }
}
