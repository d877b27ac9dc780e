import { combined } from '../framework/combine.ts'
import { claimBinder } from './claim-binder.ts'
import { volumeReleaser } from './volume-releaser.ts'

/** Brings claims and volumes together, and apart. */
export const persistentVolumeBinderController = combined('persistentvolume-binder-controller', [
  claimBinder,
  volumeReleaser,
])
