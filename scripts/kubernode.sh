#!/bin/sh
# The kubernode command from a clone: installs and bundles what is not up to date, then runs it.
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/node.sh" "$here/scripts/bundle.ts" || exit 1
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/.cache/compile}"
# The flags that the bundle's first line names are for whoever runs it by its name.
flags=$(sed -n '1s/^#!.* -S node //p' "$here/dist/kubernode.js")
# shellcheck disable=SC2086 -- several words
exec "$here/node_modules/.bin/node" $flags "$here/dist/kubernode.js" "$@"
