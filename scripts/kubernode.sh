#!/bin/sh
# The kubernode command from a clone: installs and bundles what is not up to date, then runs it.
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/node.sh" "$here/scripts/bundle.ts" || exit 1
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/.cache/compile}"
# The bundle's first line names the settings and flags for whoever runs it by its name.
PATH="$here/node_modules/.bin:$PATH"
command=$(sed -n '1s/^#!.* -S //p' "$here/dist/kubernode.js")
# shellcheck disable=SC2086 -- several words
exec env $command "$here/dist/kubernode.js" "$@"
