import type { Command } from 'commander'
import { join } from 'node:path'
import { startApiServer, type ApiServerOptions } from '../../apiserver/apiserver.ts'
import type { Deps } from '../../base/deps.ts'
import { ensureFolder } from '../../cluster/files.ts'
import { machineAddress } from '../../cluster/host/address.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import type { Store } from '../../store/store.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, booleanOf, durationOf, fileOf, listOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { followCertificate, servingCertificate } from './serving-certificate.ts'

const flags: readonly ComponentFlag[] = [
  ['--data-dir <folder>', 'folder of the store and of generated certificates; without it everything is kept in memory'],
  ['--etcd-servers <urls>', 'etcd servers to store in'],
  ['--bind-address <ip>', 'address to listen on', '0.0.0.0'],
  ['--secure-port <port>', 'port to serve HTTPS on', '6443'],
  [
    '--advertise-address <ip>',
    'address that the kubernetes service leads to (default: --bind-address, else the machine’s own)',
  ],
  ['--cert-dir <folder>', 'folder for generated certificates'],
  ['--tls-cert-file <file>', 'serving certificate'],
  ['--tls-private-key-file <file>', 'its key'],
  ['--client-ca-file <file>', 'CA of client certificates'],
  ['--token-auth-file <file>', 'lines of token,user,uid,"groups"'],
  ['--anonymous-auth [bool]', 'take requests without credentials as anonymous'],
  ['--authorization-mode <modes>', 'Node, RBAC, AlwaysAllow, AlwaysDeny, in order', 'Node,RBAC'],
  ['--enable-admission-plugins <names>', 'admission plugins besides the default ones'],
  ['--disable-admission-plugins <names>', 'default admission plugins to leave out'],
  ['--service-cluster-ip-range <cidr>', 'addresses of Services', '10.96.0.0/12'],
  ['--service-node-port-range <range>', 'ports of NodePort Services', '30000-32767'],
  ['--service-account-issuer <url>', 'issuer of service account tokens'],
  ['--service-account-key-file <file>', 'key that tokens are checked with'],
  ['--service-account-signing-key-file <file>', 'key that tokens are signed with'],
  ['--service-account-jwks-uri <url>', 'where the keys are published'],
  ['--service-account-max-token-expiration <seconds>', 'longest life of a token'],
  ['--api-audiences <names>', 'audiences of tokens'],
  ['--kubelet-client-certificate <file>', 'client certificate towards kubelets'],
  ['--kubelet-client-key <file>', 'its key'],
  ['--kubelet-certificate-authority <file>', 'CA of kubelets’ certificates'],
  ['--kubelet-preferred-address-types <types>', 'which node addresses to connect to, in order'],
  ['--proxy-client-cert-file <file>', 'client certificate towards aggregated servers'],
  ['--proxy-client-key-file <file>', 'its key'],
  ['--requestheader-client-ca-file <file>', 'CA of front proxies'],
  ['--requestheader-allowed-names <names>', 'common names of front proxies'],
  ['--requestheader-username-headers <names>', 'headers with the user', 'X-Remote-User'],
  ['--requestheader-uid-headers <names>', 'headers with the user’s UID'],
  ['--requestheader-group-headers <names>', 'headers with groups', 'X-Remote-Group'],
  ['--requestheader-extra-headers-prefix <prefixes>', 'prefix of headers with extra fields', 'X-Remote-Extra-'],
  ['--allow-privileged [bool]', 'allow privileged containers'],
  ['--event-ttl <duration>', 'how long events are kept', '1h0m0s'],
  ['--max-requests-inflight <n>', 'requests at the same time', '400'],
  ['--max-mutating-requests-inflight <n>', 'writing requests at the same time', '200'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

type Flags = Record<string, string> & { anonymousAuth?: string | boolean; allowPrivileged?: string | boolean }

/** `kubernode apiserver`: the API server alone, with upstream's flags. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Flags) => {
    const deps = await componentDeps('apiserver', numberOf(given['v']!, 'v'))
    const serving = certificateOf(given, deps)
    const store = await openStore(given, deps)
    const server = await startApiServer({ ...(await optionsOf(given)), ...deps, store })
    const listener = await server.listen({
      host: given['bindAddress']!,
      port: numberOf(given['securePort']!, 'secure-port'),
      tls: await serving(),
    })
    const unfollow = followCertificate(serving, (tls) => listener.setTls(tls), deps)
    deps.log.info({ port: listener.port }, 'serving')
    await runUntilSignal(deps, async () => {
      unfollow()
      await server.close()
      await store.close()
    })
  })
}

async function openStore(given: Flags, deps: Deps): Promise<Store> {
  if (given['etcdServers'])
    throw new Problem(
      'KN-CONFIG-02',
      `--etcd-servers is ${given['etcdServers']}: this version stores in a folder of its own, not in etcd`,
      'use --data-dir FOLDER instead',
      { exitCode: exitCodes.usage },
    )
  if (!given['dataDir']) return (await import('../../store/memory/memory-store.ts')).openMemoryStore(deps)
  ensureFolder(given['dataDir'], 0o700)
  return (await import('../../store/lmdb/lmdb-store.ts')).openLmdbStore({
    ...deps,
    folder: join(given['dataDir'], 'store'),
  })
}

async function optionsOf(given: Flags): Promise<Omit<ApiServerOptions, keyof Deps | 'store'>> {
  const issuers = listOf(given['serviceAccountIssuer'])
  const signingKey = fileOf(given['serviceAccountSigningKeyFile'], 'service-account-signing-key-file')
  const key = fileOf(given['serviceAccountKeyFile'], 'service-account-key-file')
  const frontProxy = fileOf(given['requestheaderClientCaFile'], 'requestheader-client-ca-file')
  const proxyCert = fileOf(given['proxyClientCertFile'], 'proxy-client-cert-file')
  const proxyKey = fileOf(given['proxyClientKeyFile'], 'proxy-client-key-file')
  return {
    clientCa: fileOf(given['clientCaFile'], 'client-ca-file'),
    tokenAuthFile: fileOf(given['tokenAuthFile'], 'token-auth-file'),
    anonymousAuth: booleanOf(given.anonymousAuth, 'anonymous-auth'),
    allowPrivileged: booleanOf(given.allowPrivileged, 'allow-privileged'),
    authorizationModes: listOf(given['authorizationMode']) as ApiServerOptions['authorizationModes'],
    enableAdmissionPlugins: listOf(given['enableAdmissionPlugins']),
    disableAdmissionPlugins: listOf(given['disableAdmissionPlugins']),
    serviceClusterIpRange: given['serviceClusterIpRange'],
    serviceNodePortRange: given['serviceNodePortRange'],
    advertiseAddress: advertiseAddressOf(given),
    advertisePort: numberOf(given['securePort']!, 'secure-port'),
    eventTtlMs: durationOf(given['eventTtl']!, 'event-ttl'),
    maxRequestsInflight:
      numberOf(given['maxRequestsInflight']!, 'max-requests-inflight') +
      numberOf(given['maxMutatingRequestsInflight']!, 'max-mutating-requests-inflight'),
    kubelet: {
      cert: fileOf(given['kubeletClientCertificate'], 'kubelet-client-certificate'),
      key: fileOf(given['kubeletClientKey'], 'kubelet-client-key'),
      ca: fileOf(given['kubeletCertificateAuthority'], 'kubelet-certificate-authority'),
      addressTypes: listOf(given['kubeletPreferredAddressTypes']),
    },
    ...(proxyCert && proxyKey && { proxyClient: { cert: proxyCert, key: proxyKey } }),
    ...(frontProxy && {
      requestHeader: {
        clientCa: frontProxy,
        allowedNames: listOf(given['requestheaderAllowedNames']) ?? [],
        usernameHeaders: listOf(given['requestheaderUsernameHeaders']) ?? [],
        uidHeaders: listOf(given['requestheaderUidHeaders']) ?? [],
        groupHeaders: listOf(given['requestheaderGroupHeaders']) ?? [],
        extraHeaderPrefixes: listOf(given['requestheaderExtraHeadersPrefix']) ?? [],
      },
    }),
    ...(issuers && {
      serviceAccounts: {
        issuers,
        keys: [key, signingKey].flatMap((k) => k ?? []),
        signingKey,
        audiences: listOf(given['apiAudiences']),
        jwksUri: given['serviceAccountJwksUri'],
        maxTokenExpirationSeconds:
          given['serviceAccountMaxTokenExpiration'] === undefined
            ? undefined
            : numberOf(given['serviceAccountMaxTokenExpiration'], 'service-account-max-token-expiration'),
      },
    }),
  }
}

/** Where others reach this server. What is bound to every address, or to the loopback alone, is reached at the machine's own, as upstream takes it. */
function advertiseAddressOf({ advertiseAddress, bindAddress }: Flags): string | undefined {
  if (advertiseAddress) return advertiseAddress
  return /^(0\.0\.0\.0|::|::1|127\..*)$/.test(bindAddress!) ? machineAddress() : bindAddress
}

/** The given certificate, else one from the certificate folder, else a new self-signed one that is kept there (as upstream does). */
const certificateOf = (given: Flags, deps: Deps) =>
  servingCertificate(
    {
      certFile: given['tlsCertFile'],
      keyFile: given['tlsPrivateKeyFile'],
      folder: given['certDir'] ?? (given['dataDir'] ? join(given['dataDir'], 'pki') : undefined),
      name: 'apiserver',
      commonName: 'kube-apiserver',
      hosts: [
        '127.0.0.1',
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        ...[advertiseAddressOf(given) ?? []].flat(),
      ],
      withAuthority: true,
    },
    deps,
  )
