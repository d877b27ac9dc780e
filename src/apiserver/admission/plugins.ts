import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionPlugin } from './admission.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'

/** The plugins in upstream's order, without those that are switched off. */
export function admissionPlugins(options: ApiServerOptions, registry: Registry): AdmissionPlugin[] {
  const disabled = new Set(options.disableAdmissionPlugins)
  const plugins = [namespaceLifecycle(registry)]
  return plugins.filter(({ name }) => !disabled.has(name))
}
