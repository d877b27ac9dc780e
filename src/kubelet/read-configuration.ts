import { readConfig } from '../api/component-config/read.ts'
import { settingsOf, type KubeletConfiguration } from './config.ts'
import { kubeletConfigurationKind } from './configuration-kind.ts'

/** Reads a KubeletConfiguration file. Throws with everything in it that is unknown or cannot be read. */
export function readKubeletConfiguration(text: string): KubeletConfiguration {
  const config = readConfig(text, kubeletConfigurationKind) as KubeletConfiguration
  settingsOf(config)
  return config
}
