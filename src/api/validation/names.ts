/**
 * What names may look like. Every rule takes the text and returns what is wrong with it, in upstream's words; nothing wrong is the shared empty list, so
 * that the usual case allocates nothing.
 */

const fine: string[] = []

/** `must be no more than 63 characters`; of labels and their keys upstream says bytes. */
export const tooLongText = (max: number, unit: 'characters' | 'bytes' = 'characters'): string =>
  `must be no more than ${max} ${unit}`
/** `must be between 1 and 65535, inclusive`. */
export const rangeText = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`
export const nonEmptyText = 'must be non-empty'
export const negativeText = 'must be greater than or equal to 0'
export const immutableText = 'field is immutable'

/** The rule in words, examples, then the pattern: how upstream explains a pattern. */
export function patternText(rule: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${rule} (regex used for validation is '${pattern}')`
  return `${rule} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`
}

/** A rule made of a longest length and a pattern. */
function pattern(
  longest: number | { readonly bytes: number },
  format: string,
  rule: string,
  ...examples: string[]
): (value: string) => string[] {
  const max = typeof longest === 'number' ? longest : longest.bytes
  const longText = tooLongText(max, typeof longest === 'number' ? 'characters' : 'bytes')
  const regexp = new RegExp(`^(?:${format})$`)
  const explained = patternText(rule, format, ...examples)
  return (value) => {
    const long = value.length > max
    const matches = regexp.test(value)
    if (!long && matches) return fine
    return [...(long ? [longText] : []), ...(matches ? [] : [explained])]
  }
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const labelRegexp = new RegExp(`^${label}$`)
const subdomainRegexp = new RegExp(`^${subdomain}$`)
const labelExplained = patternText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label,
  'my-name',
  '123-abc',
)

/** `example.com`: at most 253 characters. */
export const isSubdomain = pattern(253, subdomain, subdomainRule, 'example.com')

/** `my-name`: at most 63 characters. */
export function isLabel(value: string): string[] {
  if (value.length <= 63 && labelRegexp.test(value)) return fine
  const errors = value.length > 63 ? [tooLongText(63)] : []
  if (!labelRegexp.test(value)) errors.push(subdomainRegexp.test(value) ? 'must not contain dots' : labelExplained)
  return errors
}

const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
/** DNS search paths may have underscores. */
export const isSubdomainWithUnderscore = pattern(
  253,
  `${underscored}(\\.${underscored})*`,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
)

/** A label that starts with a letter: names of Services. */
export const isDns1035Label = pattern(
  63,
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  'my-name',
  'abc-123',
)

/** `*.example.com`. */
export const isWildcardSubdomain = pattern(
  253,
  `\\*\\.${subdomain}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '*.example.com',
)

/** What is wrong with a name of an environment variable as C has them. */
export const isCIdentifier = pattern(
  Infinity,
  '[A-Za-z_][A-Za-z0-9_]*',
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  'my_name',
  'MY_NAME',
  'MyName',
)

const keyFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const keyRegexp = new RegExp(`^(?:${keyFormat})$`)
const keyRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const keyExplained = patternText(keyRule, keyFormat, 'MyName', 'my.name', '123-abc')

const isKeyPrefix = pattern({ bytes: 253 }, subdomain, subdomainRule, 'example.com')

/** `app` or `example.com/app`: keys of labels and annotations, names of resources, finalizers, conditions. */
export function isQualifiedName(value: string): string[] {
  if (value.length <= 63 && keyRegexp.test(value)) return fine
  const parts = value.split('/')
  if (parts.length > 2)
    return [
      `a valid label key ${keyExplained} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const errors: string[] = []
  const [prefix, name] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : [undefined, parts[0] ?? '']
  if (prefix === '') errors.push(`prefix part ${nonEmptyText}`)
  else if (prefix !== undefined) for (const text of isKeyPrefix(prefix)) errors.push(`prefix part ${text}`)
  if (name === '') errors.push(`name part ${nonEmptyText}`)
  else if (name.length > 63) errors.push(`name part ${tooLongText(63, 'bytes')}`)
  if (!keyRegexp.test(name)) errors.push(`name part ${keyExplained}`)
  return errors.length ? errors : fine
}

/** Values of labels. */
export const isLabelValue = pattern(
  { bytes: 63 },
  `(${keyFormat})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyValue',
  'my_value',
  '12345',
)

/** A port's number. */
export const isPortNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? fine : [rangeText(1, 65535)])

/** A port's name (IANA_SVC_NAME): at most 15 characters. */
export function isPortName(port: string): string[] {
  if (/^[a-z]{1,15}$/.test(port)) return fine
  const errors: string[] = []
  if (port.length > 15) errors.push(tooLongText(15))
  if (!/^[-a-z0-9]+$/.test(port)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(port)) errors.push('must contain at least one letter (a-z)')
  if (port.includes('--')) errors.push('must not contain consecutive hyphens')
  if (port.startsWith('-') || port.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

const userMax = 2 ** 31 - 1
/** User and group numbers. */
export const isUserOrGroup = (id: number): string[] => (id >= 0 && id <= userMax ? fine : [rangeText(0, userMax)])

/** What is wrong with a percentage. */
export const isPercent = pattern(
  Infinity,
  '[0-9]+%',
  "a valid percent string must be a numeric string followed by an ending '%'",
  '1%',
  '93%',
)

/** What is wrong with the name of a header. */
export const isHttpHeaderName = pattern(
  Infinity,
  '[-A-Za-z0-9]+',
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  'X-Header-Name',
)

/** Names of environment variables: printable ASCII without '='. */
export function isEnvVarName(value: string): string[] {
  if (value === '') return [`environment variable name ${nonEmptyText}`]
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? fine
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Dots that would leave a folder. */
function upwards(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : fine
}

const configKeyPattern = pattern(
  253,
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
)
/** Keys of ConfigMaps and Secrets. */
export function isConfigMapKey(value: string): string[] {
  const errors = configKeyPattern(value)
  const dots = upwards(value)
  return dots.length ? [...errors, ...dots] : errors
}

/** `generateName` ends in a dash, which a name may not. */
function masked(name: string, prefix: boolean): string {
  return prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

/** Rules for `metadata.name`; `prefix` says that it is a generateName. */
export type NameRule = (name: string, prefix: boolean) => string[]

/** The usual rule: a DNS subdomain. */
export const dnsSubdomainErrors: NameRule = (name, prefix) => isSubdomain(masked(name, prefix))
/** The same where only the name that was made counts, not what it begins with. */
export const madeSubdomainErrors: NameRule = (name, prefix) => (prefix ? [] : isSubdomain(name))
/** Namespaces and what becomes part of a host name. */
export const dnsLabelErrors: NameRule = (name, prefix) => isLabel(masked(name, prefix))
/** Services. */
export const dns1035LabelErrors: NameRule = (name, prefix) => isDns1035Label(masked(name, prefix))

/** The least that every name must be: one segment of a path. RBAC's names may be anything else. */
export const pathSegmentErrors: NameRule = (name, prefix) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  const errors = ['/', '%'].filter((sign) => name.includes(sign)).map((sign) => `may not contain '${sign}'`)
  return errors.length ? errors : fine
}

/** A condition's reason: CamelCase with some signs. */
export const isConditionReason = pattern(
  Infinity,
  '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?',
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
)

/** The path of a URL behind a domain: `example.com/path`. */
export const isHttpPath = pattern(Infinity, "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", 'Invalid path')
