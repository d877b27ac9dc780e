import { additionalOf, isObject, itemsOf, type Props, type Values } from './props.ts'

/** Fills in a schema's defaults, where the parent is there. Nulls that the schema does not allow, but has a default for, count as absent. */
export function applyDefaults(value: unknown, props: Props | undefined): void {
  if (!props) return
  if (Array.isArray(value)) {
    const items = itemsOf(props)
    if (items && hasDefaults(items)) for (const item of value) applyDefaults(item, items)
    return
  }
  if (!isObject(value)) return
  for (const name in props.properties) {
    const sub = props.properties[name]!
    const standard = sub.default as unknown
    if (standard !== undefined && standard !== null && (value[name] === undefined || (value[name] === null && !sub.nullable))) value[name] = structuredClone(standard)
    if (value[name] !== undefined && value[name] !== null && hasDefaults(sub)) applyDefaults(value[name], sub)
  }
  const additional = additionalOf(props)
  if (typeof additional === 'object' && hasDefaults(additional)) {
    for (const name in value) if (!props.properties || !Object.hasOwn(props.properties, name)) applyAdditional(value, name, additional)
  }
}

function applyAdditional(value: Values, name: string, additional: Props): void {
  if (value[name] === null && !additional.nullable && additional.default !== undefined) value[name] = structuredClone(additional.default as unknown)
  else applyDefaults(value[name], additional)
}

const known = new WeakMap<Props, boolean>()

/** Whether there is a default anywhere in a schema. */
function hasDefaults(props: Props): boolean {
  let has = known.get(props)
  if (has === undefined) {
    const additional = additionalOf(props)
    const items = itemsOf(props)
    has = props.default !== undefined || Object.values(props.properties ?? {}).some(hasDefaults) || (items !== undefined && hasDefaults(items)) || (typeof additional === 'object' && hasDefaults(additional))
    known.set(props, has)
  }
  return has
}
