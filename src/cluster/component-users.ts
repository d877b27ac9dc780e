import {
  authenticatedGroup,
  mastersGroup,
  serviceAccountGroups,
  serviceAccountName,
  type User,
} from '../apiserver/authn/user.ts'

const member = (name: string, ...groups: string[]): User => ({ name, groups: [...groups, authenticatedGroup] })

/** As whom the components of the process act: upstream's users, with no more rights than its roles give them. */
export const componentUsers = {
  /** The manager itself: the informers that all share, elections, tokens of service accounts. */
  controllerManager: member('system:kube-controller-manager'),
  /** One of its controllers, as the service account that upstream runs it as. */
  controller: (account: string): User =>
    member(serviceAccountName('kube-system', account), ...serviceAccountGroups('kube-system')),
  scheduler: member('system:kube-scheduler'),
  node: (name: string): User => member(`system:node:${name}`, 'system:nodes'),
  proxy: member('system:kube-proxy', 'system:node-proxier'),
  /** Whoever sets the cluster up, as `kubeadm init` does; nothing that runs on acts as this. */
  installer: member('kubernetes-admin', mastersGroup),
}
