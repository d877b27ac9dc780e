import { compile, type Program } from '../cel/compile.ts'
import { baseFunctions } from '../cel/library/base.ts'
import { dyn, mapOf, objectOf, string } from '../cel/types.ts'

/** A device as selectors see it. Attributes and capacities are found by their domain and then by their own name. */
const deviceType = objectOf('DRADevice', {
  driver: string,
  attributes: mapOf(string, mapOf(string, dyn)),
  capacity: mapOf(string, mapOf(string, dyn)),
})

/** Compiles a selector of devices. Loaded when there is one: the expression engine is large. */
export const compileForDevices = (expression: string): Program =>
  compile(expression, { functions: baseFunctions(), variables: { device: deviceType }, bindings: true })
