#!/bin/sh
# npm start: `kubernode up` from a clone.
exec sh "$(dirname "$0")/kubernode.sh" up "$@"
