import assert from 'node:assert/strict'
import test from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { classOf, isVolumeFor, offersAccessModes, sameVolumeMode } from './claim-binding.ts'

const claim: Frozen<PersistentVolumeClaim> = {
  metadata: { namespace: 'shop', name: 'data', uid: '1' },
  spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], storageClassName: 'fast' },
}
const volume = (spec: PersistentVolume['spec']): PersistentVolume => ({ metadata: { name: 'v' }, spec })

test('the annotation that classes had before they had a field wins, an empty one too', () => {
  const annotated = (text: string) => ({
    ...claim,
    metadata: { ...claim.metadata, annotations: { 'volume.beta.kubernetes.io/storage-class': text } },
  })
  assert.deepEqual([claim, annotated('old'), annotated(''), volume({})].map(classOf), ['fast', 'old', '', ''])
})

for (const [name, claimRef, want] of [
  ['without a claim', undefined, false],
  ['that names it', { namespace: 'shop', name: 'data' }, true],
  ['that names it with its UID', { namespace: 'shop', name: 'data', uid: '1' }, true],
  ['of an earlier claim of that name', { namespace: 'shop', name: 'data', uid: '0' }, false],
  ['of another namespace', { namespace: 'bank', name: 'data' }, false],
] as const)
  test(`a volume ${name} is ${want ? '' : 'not '}for the claim`, () =>
    assert.equal(isVolumeFor(volume({ ...(claimRef && { claimRef }) }), claim), want))

test('a volume must offer every way to use it that is asked for', () => {
  assert.equal(offersAccessModes(volume({ accessModes: ['ReadWriteOnce'] }), claim), false)
  assert.equal(
    offersAccessModes(volume({ accessModes: ['ReadOnlyMany', 'ReadWriteOnce', 'ReadWriteMany'] }), claim),
    true,
  )
})

test('a volume without a mode is a file system', () => {
  assert.equal(sameVolumeMode(volume({ volumeMode: 'Filesystem' }), claim), true)
  assert.equal(sameVolumeMode(volume({ volumeMode: 'Block' }), claim), false)
})
