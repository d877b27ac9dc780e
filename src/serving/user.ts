/** Who makes a request. */
export interface RequestUser {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** Whoever comes without credentials. */
export const anonymousUser: RequestUser = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
}

/** Members may do everything, as in every API server; nobody needs to be asked. */
export const mastersGroup = 'system:masters'
