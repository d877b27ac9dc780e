import assert from 'node:assert/strict'
import test from 'node:test'
import { readKubeletConfiguration } from './read-configuration.ts'

const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'

/** As kubeadm writes it. */
const kubeadm = `${head}authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
crashLoopBackOff: {}
cpuManagerReconcilePeriod: 0s
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
imageMinimumGCAge: 0s
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
rotateCertificates: true
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
`

test('a file that kubeadm has written is read', () => {
  const config = readKubeletConfiguration(kubeadm)
  assert.equal(config.authentication?.x509?.clientCAFile, '/etc/kubernetes/pki/ca.crt')
  assert.deepEqual([config.clusterDNS, config.staticPodPath], [['10.96.0.10'], '/etc/kubernetes/manifests'])
})

test('what is unknown, repeated or cannot be read is named', () => {
  assert.throws(
    () => readKubeletConfiguration(`${head}maxPodz: 5\nauthentication: {x509: {clientCAFil: x}}\n`),
    /unknown field "authentication.x509.clientCAFil"; did you mean clientCAFile\?, unknown field "maxPodz" at line 3, column 1; did you mean maxPods\?/,
  )
  assert.throws(
    () => readKubeletConfiguration(`${head}maxPods: 4\nmaxPods: 5\n`),
    /line 4: key "maxPods" already set in map/,
  )
  assert.throws(
    () => readKubeletConfiguration(`${head}syncFrequency: 5\n`),
    /cannot unmarshal number into Go struct field .*syncFrequency of type string/,
  )
  assert.throws(
    () => readKubeletConfiguration(`${head}syncFrequency: soon\n`),
    /syncFrequency: "soon" is not a duration/,
  )
})
