#!/bin/sh
# The kubernode command from a clone: installs and bundles what is not up to date, then runs it.
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/node.sh" "$here/scripts/bundle.ts" || exit 1
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/.cache/compile}"
exec "$here/node_modules/.bin/node" "$here/dist/kubernode.js" "$@"
