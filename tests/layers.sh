#!/usr/bin/env bash
# The layers hold: includes go kernel -> magics -> runtime, never back, and what an exported flow links (base, type, store,
# metadata, flow) never reaches for what only notebooks have (lang, build, export, view, cli). Prints each line that breaks a rule.
set -uo pipefail
cd "$(dirname "$0")/.."

broken=0
# forbid WHERE... -- FOLDER...: no file under WHERE may include from FOLDER.
forbid() {
    local where=() pattern
    while [ "$1" != -- ]; do where+=("$1"); shift; done
    shift
    pattern=$(IFS='|'; echo "$*")
    if grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]+[\"<](\.\./)*(${pattern})/" "${where[@]}"; then
        echo "layers: ${where[*]} must not include $*"
        broken=1
    fi
}

flow_only=(runtime/base runtime/type runtime/store runtime/metadata runtime/flow)
forbid runtime -- kernel magics
forbid magics -- kernel
forbid "${flow_only[@]}" runtime/cli/flow_main.c -- runtime/lang runtime/build runtime/export runtime/view
forbid "${flow_only[@]}" -- runtime/cli
forbid runtime/base -- runtime/type runtime/store runtime/metadata runtime/flow
forbid runtime/type runtime/store -- runtime/metadata runtime/flow
forbid runtime/metadata -- runtime/flow
forbid runtime/lang -- runtime/export runtime/view runtime/cli
forbid runtime/build -- runtime/lang runtime/export runtime/view runtime/cli
# weir.h stands alone: exported flows bring nothing else.
if grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' runtime/include/weir.h; then
    echo "layers: weir.h must not include files of the project"
    broken=1
fi
exit $broken
