/** `npm run generate`: writes everything under src/api/generated from the facts; with --verify compares instead. */
import './types.ts'
import './definitions.ts'
import './kinds.ts'
