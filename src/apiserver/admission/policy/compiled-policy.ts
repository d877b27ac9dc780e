import { Budget } from '../../../api/cel/frame.ts'
import type { Program } from '../../../api/cel/compile.ts'
import { CelSyntaxError } from '../../../api/cel/syntax.ts'
import { dyn, objectOf, type CelType } from '../../../api/cel/types.ts'
import { CelBudgetError, CelError, CelMap, type Value } from '../../../api/cel/values.ts'
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicySpec,
  Validation,
  Variable,
} from '../../../api/generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { compileConditions, type Conditions } from '../webhook/conditions.ts'
import { compileForRequests, type RequestValues, type Uses } from './request-language.ts'

/** What all expressions of one policy may cost, and each of them. Upstream's figures. */
const policyCostMax = 10_000_000
const expressionCostMax = 1_000_000

/** A program, or why there is none. */
export type Attempt = Program | string

/** Compiles an expression, and gives the problem instead of throwing it. */
export function attempt(expression: string, uses: Uses): Attempt {
  try {
    return compileForRequests(expression, uses)
  } catch (error) {
    if (error instanceof CelSyntaxError) return `compilation failed: ${error.message}`
    throw error
  }
}

/** Variables as expressions see them: each may use those before it. */
export interface Variables {
  readonly type: CelType
  readonly programs: ReadonlyMap<string, Attempt>
}

/** Compiles a policy's variables. */
export function compileVariables(variables: readonly Frozen<Variable>[], uses: Uses): Variables {
  const types: Record<string, CelType> = {}
  const programs = new Map<string, Attempt>()
  for (const { name, expression } of variables) {
    const program = attempt(expression, { ...uses, variables: objectOf('kubernetes.variables', { ...types }) })
    programs.set(name, program)
    types[name] = typeof program === 'string' ? dyn : program.type
  }
  return { type: objectOf('kubernetes.variables', types), programs }
}

/** The values of the variables in one run: worked out when they are first asked for. */
export function variableValues({ programs }: Variables, values: () => RequestValues, budget: Budget): Value {
  return CelMap.lazy([...programs.keys()], (name) => {
    const program = programs.get(name)
    if (program === undefined) return undefined
    if (typeof program === 'string') throw new CelError(program)
    return program.evaluate(values(), budget)
  })
}

/** A policy says no. */
export interface Denial {
  readonly message: string
  readonly reason: string | undefined
  /** Which validation, for audit. */
  readonly index: number
}

interface CompiledValidation {
  readonly validation: Frozen<Validation>
  readonly program: Attempt
  readonly message: Attempt | undefined
}

/** A policy that is ready to judge. */
export class CompiledPolicy {
  readonly #spec: Frozen<ValidatingAdmissionPolicySpec>
  readonly #conditions: Conditions | undefined
  readonly #variables: Variables
  readonly #validations: readonly CompiledValidation[]
  readonly #annotations: readonly { readonly annotation: Frozen<AuditAnnotation>; readonly program: Attempt }[]

  constructor(spec: Frozen<ValidatingAdmissionPolicySpec>) {
    this.#spec = spec
    const uses: Uses = { params: spec.paramKind !== undefined }
    this.#conditions = spec.matchConditions?.length ? compileConditions(spec.matchConditions, uses) : undefined
    this.#variables = compileVariables(spec.variables ?? [], uses)
    const all = { ...uses, variables: this.#variables.type }
    this.#validations = (spec.validations ?? []).map((validation) => ({
      validation,
      program: attempt(validation.expression, all),
      message: validation.messageExpression
        ? attempt(validation.messageExpression, { ...all, authorizer: false })
        : undefined,
    }))
    this.#annotations = (spec.auditAnnotations ?? []).map((annotation) => ({
      annotation,
      program: attempt(annotation.valueExpression, all),
    }))
  }

  /** What the policy has against a request. */
  judge(given: RequestValues): Denial[] {
    const fails = this.#spec.failurePolicy !== 'Ignore'
    const unmet = this.#conditions?.unmet(given)
    if (unmet) return unmet.error !== undefined && fails ? [{ message: unmet.error, reason: undefined, index: 0 }] : []
    const budget = new Budget(policyCostMax)
    const values: RequestValues = { ...given, variables: () => variables }
    const variables = variableValues(this.#variables, () => values, budget)
    const denials: Denial[] = []
    const run = (program: Attempt): Value => {
      if (typeof program === 'string') throw new CelError(program)
      const own = new Budget(Math.min(expressionCostMax, budget.left))
      const before = own.left
      const value = program.evaluate(values, own)
      budget.spend(before - own.left)
      return value
    }
    this.#validations.forEach(({ validation, program, message }, index) => {
      const { expression, reason } = validation
      try {
        if (run(program) !== true) denials.push({ message: messageOf(validation, message, run), reason, index })
      } catch (error) {
        if (!(error instanceof CelError) && !(error instanceof CelBudgetError)) throw error
        if (fails)
          denials.push({
            message: `expression '${expression}' resulted in error: ${error.message}`,
            reason: undefined,
            index,
          })
      }
    })
    this.#judgeAnnotations(run, fails, denials)
    return denials
  }

  /** Their values go to the audit log; that they can be made is required all the same. */
  #judgeAnnotations(run: (program: Attempt) => Value, fails: boolean, denials: Denial[]): void {
    for (const { annotation, program } of this.#annotations) {
      try {
        const value = run(program)
        if (value !== null && typeof value !== 'string')
          throw new CelError(
            `valueExpression '${annotation.valueExpression}' resulted in unsupported return type. Return type must be either string or null`,
          )
      } catch (error) {
        if (!(error instanceof CelError) && !(error instanceof CelBudgetError)) throw error
        if (fails)
          denials.push({
            message: `expression '${annotation.valueExpression}' resulted in error: ${error.message}`,
            reason: undefined,
            index: 0,
          })
      }
    }
  }
}

const messageLengthMax = 5 * 1024

function messageOf(
  { expression, message }: Frozen<Validation>,
  program: Attempt | undefined,
  run: (program: Attempt) => Value,
): string {
  const fallback = message?.trim() || `failed expression: ${expression.trim()}`
  if (program === undefined) return fallback
  try {
    const value = run(program)
    const text = typeof value === 'string' ? value.trim() : ''
    return text && !text.includes('\n') && text.length <= messageLengthMax ? text : fallback
  } catch (error) {
    if (error instanceof CelError || error instanceof CelBudgetError) return fallback
    throw error
  }
}
