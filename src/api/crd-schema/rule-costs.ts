import { estimateCost } from '../cel/cost/estimate.ts'
import type { Language } from '../cel/compile.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { countMax, declaredSizeOf } from './declared-size.ts'
import type { JsonSchema } from './json-schema.ts'

/** What one rule may cost, as often as it can be asked for in one object; and what all rules of a schema may. Upstream's figures. */
const ruleCostMax = 10_000_000
const schemaCostMax = 100_000_000

/** So many of the rules that cost most are named, and only those that are a hundredth of what all may cost. */
const namedMax = 4

const advice =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

/** An expression of a rule, and where it is. */
interface Costed {
  readonly text: string
  readonly language: Language
  readonly schema: JsonSchema
  readonly root: boolean
  readonly at: FieldPath
  /** Messages are made once at most. */
  readonly isMessage?: boolean
  /** How often there can be a value of the schema in one object; undefined where nothing around it says. */
  readonly count: number | undefined
}

/** Adds up what the rules of a schema can cost. */
export class RuleCosts {
  #total = 0
  readonly #expensive: { readonly at: FieldPath; readonly cost: number }[] = []
  readonly #single: boolean

  /** `single`: each rule is looked at by itself, too. A schema that was there before keeps its rules. */
  constructor({ single }: { readonly single: boolean }) {
    this.#single = single
  }

  add({ text, language, schema, root, at, isMessage, count }: Costed, errors: FieldErrors): void {
    const self = declaredSizeOf(schema, root)
    if (!self) return
    const once = estimateCost(text, language, self)
    const cost = isMessage || once === 0 ? once : once * (count ?? countMax(schema, root))
    if (this.#single && cost > ruleCostMax)
      errors.forbidden(
        at,
        exceeds(isMessage ? 'estimated messageExpression cost' : 'estimated rule cost', cost, ruleCostMax),
      )
    this.#total += cost
    if (cost < schemaCostMax / 100) return
    this.#expensive.push({ at, cost })
    this.#expensive.sort((a, b) => (a.cost === b.cost ? 0 : b.cost - a.cost)).splice(namedMax)
  }

  /** Says of the whole schema that its rules cost too much. */
  finish(at: FieldPath, errors: FieldErrors): void {
    if (this.#total <= schemaCostMax) return
    for (const { at: place } of this.#expensive)
      errors.forbidden(
        place,
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      )
    errors.forbidden(
      at,
      exceeds(
        'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema',
        this.#total,
        schemaCostMax,
      ),
    )
  }
}

function exceeds(what: string, cost: number, max: number): string {
  const times = cost / max
  const factor = times > 100 ? 'more than 100x' : `${times.toFixed(times < 1.5 ? 6 : 1)}x`
  return `${what} exceeds budget by factor of ${factor} ${advice}`
}
