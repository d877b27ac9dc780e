/** What every call answers after `close`. */
export class StoreClosedError extends Error {
  override name = 'StoreClosedError'
  constructor() {
    super('the store is closed')
  }
}
