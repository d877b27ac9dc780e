/** Something in the input is not what the schema says. The message has no prefix: `json: cannot unmarshal …`, `quantities must match …`. */
export class DecodeError extends Error {
  override name = 'DecodeError'
}
