/** How load balancers get their addresses. */
export interface LoadBalancerConfig {
  /**
   * 'nodes': a Service is reached under the addresses of the nodes themselves, on its own ports; two Services cannot have the same port. Works on any network.
   * Otherwise ranges ('172.20.0.0/24', '192.168.1.240-192.168.1.250') of which each Service gets an address of its own; the network must bring packets for them to a node.
   */
  readonly addresses: 'nodes' | readonly string[]
  /** Ports that stay the nodes' own where Services share the nodes' addresses: 'TCP/6443'. */
  readonly reservedPorts: readonly string[]
  /** Services of this class are ours too, besides those without a class. */
  readonly className: string
}

/** The usual: nodes' addresses; the API server, the kubelet and ssh stay reachable. */
export const defaultLoadBalancerConfig: LoadBalancerConfig = {
  addresses: 'nodes',
  reservedPorts: ['TCP/22', 'TCP/6443', 'TCP/10250'],
  className: 'kubernode.dev/load-balancer',
}
