import type { Deps } from '../base/deps.ts'
import type { Store } from '../store/store.ts'
import type { RequestHeaderOptions } from './authn/request-header.ts'

/**
 * How an API server is started. Names follow upstream's flags; files are given as their texts, so that whoever reads flags also reads files.
 */
export interface ApiServerOptions extends Deps {
  readonly store: Store
  /** --client-ca-file (PEM): client certificates of these CAs are users. */
  readonly clientCa?: string | undefined
  /** --token-auth-file: lines of token,user,uid,"group1,group2". */
  readonly tokenAuthFile?: string | undefined
  /** --anonymous-auth. Default true. */
  readonly anonymousAuth?: boolean | undefined
  /** --requestheader-*: users whom a front proxy authenticated. */
  readonly requestHeader?: RequestHeaderOptions | undefined
  /** --authorization-mode, in order. Default Node, RBAC. */
  readonly authorizationModes?: readonly AuthorizationMode[] | undefined
  /** --enable-admission-plugins: in addition to upstream's default ones. */
  readonly enableAdmissionPlugins?: readonly string[] | undefined
  /** --disable-admission-plugins. */
  readonly disableAdmissionPlugins?: readonly string[] | undefined
  readonly serviceAccounts?: ServiceAccountOptions | undefined
  /** --service-cluster-ip-range: one range, or one of each family. Default 10.96.0.0/12. */
  readonly serviceClusterIpRange?: string | undefined
  /** --service-node-port-range. Default 30000-32767. */
  readonly serviceNodePortRange?: string | undefined
  /** --advertise-address: where the `kubernetes` service leads to. Absent: it has no endpoints. */
  readonly advertiseAddress?: string | undefined
  /** The port that goes with it. */
  readonly advertisePort?: number | undefined
  /** --event-ttl in milliseconds. Default one hour. */
  readonly eventTtlMs?: number | undefined
  /** How the server connects to kubelets, for logs, exec, attach, port-forward and proxied requests. */
  readonly kubelet?: KubeletClientOptions | undefined
  /** Serves metrics.k8s.io from the kubelets' figures, as metrics-server does. Takes `kubelet`. Default false. */
  readonly resourceMetrics?: boolean | undefined
  /** Checks the expressions of admission policies with the types of the kinds that they name, and tells in their status: upstream's controller manager does. Default false. */
  readonly policyStatuses?: boolean | undefined
  /** Controllers and scheduler run in this process, without leases: they are as well as it is. Default false. */
  readonly withControlPlane?: boolean | undefined
  /** --proxy-client-cert-file and its key: who the server is towards aggregated API servers. */
  readonly proxyClient?: { readonly cert: string; readonly key: string } | undefined
  /** --allow-privileged. Default true. */
  readonly allowPrivileged?: boolean | undefined
  /** --max-requests-inflight and --max-mutating-requests-inflight together. Default 600. */
  readonly maxRequestsInflight?: number | undefined
  /** --enable-garbage-collector's other half is the controller's. --min-request-timeout in milliseconds. Default half an hour. */
  readonly minRequestTimeoutMs?: number | undefined
  /** Objects are deeply frozen before in-process clients get them: for the library and tests. */
  readonly freeze?: boolean | undefined
}

/** Who decides what users may do. */
export type AuthorizationMode = 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny'

/** Service accounts' tokens. */
export interface ServiceAccountOptions {
  /** --service-account-issuer; the first one is put into new tokens. */
  readonly issuers: readonly string[]
  /** --service-account-key-file (PEM, public or private): tokens signed by these are taken. */
  readonly keys: readonly string[]
  /** --service-account-signing-key-file (PEM): signs new tokens. */
  readonly signingKey?: string | undefined
  /** --api-audiences. Default: the issuers. */
  readonly audiences?: readonly string[] | undefined
  /** --service-account-jwks-uri. */
  readonly jwksUri?: string | undefined
  /** --service-account-max-token-expiration in seconds. */
  readonly maxTokenExpirationSeconds?: number | undefined
  /** --service-account-extend-token-expiration. Default true. */
  readonly extendTokenExpiration?: boolean | undefined
}

/** --kubelet-client-certificate, --kubelet-client-key, --kubelet-certificate-authority, --kubelet-preferred-address-types. */
export interface KubeletClientOptions {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Absent: kubelets' certificates are not checked, as upstream does. */
  readonly ca?: string | undefined
  readonly addressTypes?: readonly string[] | undefined
  /** Kubelets of nodes that nobody can connect to, since they are in this process (simulated ones): asked directly. Undefined for other nodes. */
  readonly local?: ((nodeName: string) => LocalKubelet | undefined) | undefined
}

/** A kubelet in the same process. */
export interface LocalKubelet {
  /** What the kubelet's server would answer to GET /containerLogs/NAMESPACE/POD/CONTAINER with this query. */
  log(
    pod: { readonly namespace: string; readonly name: string },
    container: string,
    options: { readonly query: URLSearchParams; readonly signal: AbortSignal },
  ): Promise<LocalLog>
}

/** A log, or why there is none, with the code of the answer. */
export type LocalLog =
  | { readonly code: 200; readonly body: AsyncIterable<Uint8Array> }
  | { readonly code: number; readonly text: string }
