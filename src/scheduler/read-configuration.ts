import { ConfigError, readConfig, readPart } from '../api/component-config/read.ts'
import { pluginArgumentShapes, schedulerConfigurationKind } from './configuration-kind.ts'
import { profilesOf, type SchedulerConfiguration } from './configuration.ts'

/** Reads a KubeSchedulerConfiguration file, the arguments of plugins with it. Throws with everything in it that is unknown or has no meaning. */
export function readSchedulerConfiguration(text: string): SchedulerConfiguration {
  const config = readConfig(text, schedulerConfigurationKind) as SchedulerConfiguration
  for (const [i, { pluginConfig = [] }] of (config.profiles ?? []).entries())
    for (const [j, { name, args }] of pluginConfig.entries()) {
      const shape = pluginArgumentShapes[name]
      if (!args || !shape) continue
      try {
        readPart(args, shape, text)
      } catch (error) {
        if (error instanceof ConfigError)
          throw new ConfigError(
            `decoding .profiles[${i}].pluginConfig[${j}]: decoding args for plugin ${name}: ${error.message}`,
            { cause: error },
          )
        throw error
      }
    }
  profilesOf(config)
  return config
}
