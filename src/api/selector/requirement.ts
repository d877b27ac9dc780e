/**
 * Whether a requirement's operator holds for the value of its key, undefined when the key is not there. These four are all that label selectors have, and
 * what node selectors share with them; an operator of the future holds for nothing.
 */
export function holds(operator: string, values: readonly string[] | undefined, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && (values?.includes(value) ?? false)
    case 'NotIn':
      return value === undefined || !values?.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
