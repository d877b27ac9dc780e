/** Whether an object has all the labels that are wanted. */
export function hasLabels(
  labels: Readonly<Record<string, string | undefined>> | undefined,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean {
  for (const name in wanted) if (labels?.[name] !== wanted[name]) return false
  return true
}
