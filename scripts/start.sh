#!/bin/sh
# npm start: `kubernode up` from a clone.
exec sh "$(dirname "$0")/node.sh" "$(dirname "$0")/../src/cli/main.ts" up "$@"
