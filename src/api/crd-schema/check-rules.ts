import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { elementsMax } from './declared-size.ts'
import { additionalOf, itemsOf, type JsonSchema } from './json-schema.ts'
import { RuleCosts } from './rule-costs.ts'
import { ruleLanguage, rulesOf } from './rules.ts'
import { celTypeOf } from './schema-type.ts'

/** Where in a definition's schema rules stand. */
interface Place {
  readonly at: FieldPath
  readonly root: boolean
  /** How often there can be a value of the schema in one object; undefined where nothing around it says. */
  readonly count: number | undefined
  /** The part around it whose old values cannot be found again. */
  readonly lost: FieldPath | undefined
  /** Absent where rules are not counted: behind `allOf`. */
  readonly costs: RuleCosts | undefined
}

/** Says what is wrong with the rules of a definition's schema. One that was there before, `unchanged`, keeps rules that are too expensive each by itself. */
export function checkRules(schema: JsonSchema, at: FieldPath, errors: FieldErrors, unchanged: boolean): void {
  const costs = new RuleCosts({ single: !unchanged })
  visit(schema, { at, root: true, count: 1, lost: undefined, costs }, errors)
  costs.finish(at, errors)
}

function visit(schema: JsonSchema, place: Place, errors: FieldErrors): void {
  checkOwn(schema, place, errors)
  const { at, lost } = place
  const factor = elementsMax(schema)
  const count = place.count === undefined || factor === undefined ? undefined : place.count * factor
  const below = (path: FieldPath, forgets: boolean): Place => ({
    ...place,
    at: path,
    root: false,
    count,
    lost: lost ?? (forgets ? at : undefined),
  })
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    visit(property, below(at.child('properties').key(name), schema['x-kubernetes-map-type'] === 'atomic'), errors)
  const additional = additionalOf(schema)
  if (typeof additional === 'object') visit(additional, below(at.child('additionalProperties'), false), errors)
  const items = itemsOf(schema)
  if (items) visit(items, below(at.child('items'), schema['x-kubernetes-list-type'] !== 'map'), errors)
  schema.allOf?.forEach((each, i) =>
    visit(each, { ...place, at: at.child('allOf').index(i), root: false, costs: undefined }, errors),
  )
}

function checkOwn(schema: JsonSchema, { at: place, root, count, lost, costs }: Place, errors: FieldErrors): void {
  const rules = rulesOf(schema, root)
  if (rules.length === 0) return
  const path = place.child('x-kubernetes-validations')
  const wholeObject = root || schema['x-kubernetes-embedded-resource'] === true
  const type = celTypeOf(schema, wholeObject)
  rules.forEach(({ rule, program, message, problem, messageProblem, usesOld }, i) => {
    const at = path.index(i)
    const expression = (name: 'rule' | 'messageExpression') =>
      type &&
      costs?.add(
        {
          text: rule[name] ?? '',
          language: ruleLanguage(rule, type),
          schema,
          root: wholeObject,
          at: at.child(name),
          isMessage: name !== 'rule',
          count,
        },
        errors,
      )
    if (program) expression('rule')
    if (problem) errors.invalid(at.child('rule'), rule.rule, problem)
    if (message) expression('messageExpression')
    if (messageProblem)
      errors.invalid(
        at.child('messageExpression'),
        rule.messageExpression,
        `messageExpression compilation failed: ${messageProblem}`,
      )
    if (usesOld && lost)
      errors.invalid(
        at.child('rule'),
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${lost.toString()}`,
      )
    if (!usesOld && rule.optionalOldSelf !== undefined && !problem)
      errors.invalid(at.child('optionalOldSelf'), rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
  })
}
