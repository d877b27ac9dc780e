import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import { checkExpression } from '../admissionregistration/expressions.ts'
import type { DeviceSelector, OpaqueDeviceConfiguration } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'

const selectorsMax = 32
const expressionMax = 10 * 1024
const parametersMax = 10 * 1024

/** Which devices will do. */
export function checkSelectors(
  selectors: readonly Frozen<DeviceSelector>[] | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!selectors) return
  if (selectors.length > selectorsMax) return errors.tooMany(at, selectors.length, selectorsMax)
  selectors.forEach(({ cel }, i) => {
    const path = at.index(i).child('cel')
    if (!cel) return errors.required(path)
    const expression = cel.expression ?? ''
    if (expression.length > expressionMax) errors.tooLong(path.child('expression'), expressionMax)
    else
      checkExpression(
        expression,
        { params: false, authorizer: false, yields: 'bool', device: true },
        path.child('expression'),
        errors,
      )
  })
}

/** Parameters that only a driver understands. */
export function checkConfiguration(
  { opaque }: Frozen<{ opaque?: OpaqueDeviceConfiguration }>,
  at: FieldPath,
  errors: FieldErrors,
  stored = false,
): void {
  if (!opaque) return errors.required(at.child('opaque'))
  checkDriverName(opaque.driver, at.child('opaque', 'driver'), errors)
  checkRaw(opaque.parameters, stored ? undefined : parametersMax, at.child('opaque', 'parameters'), errors)
}

/** Any JSON object of at most so many bytes; without a maximum of any size. */
export function checkRaw(value: unknown, bytesMax: number | undefined, at: FieldPath, errors: FieldErrors): void {
  if (value === undefined || value === null) errors.required(at)
  else if (bytesMax !== undefined && Buffer.byteLength(JSON.stringify(value)) > bytesMax) errors.tooLong(at, bytesMax)
  else if (typeof value !== 'object' || Array.isArray(value))
    errors.invalid(at, '<value omitted>', 'must be a valid JSON object')
}
