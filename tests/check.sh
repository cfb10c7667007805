#!/usr/bin/env bash
# Every test of a built tree, then one closing line "N passed, N failed".
#
#   tests/check.sh BUILD_FOLDER VENV [FOLDER...]     of Python tests; default: all
#
# Layers and style count as one test each. Stops at nothing: the exit status tells at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

build=$1 venv=$2
shift 2
[ $# -gt 0 ] || set -- tests/unit tests/protocol tests/cells tests/flows tests/soak tests/e2e
passed=0 failed=0 skipped=0
reports=$build/reports
mkdir -p "$reports"

for check in layers style; do
    if tests/$check.sh; then
        echo "$check: holds"
        passed=$((passed + 1))
    else
        echo "$check: BROKEN"
        failed=$((failed + 1))
    fi
done

programs=()
for source in tests/unit/*.c; do
    [ -e "$source" ] && programs+=("$build/tests/$(basename "$source" .c)")
done
if [ ${#programs[@]} -gt 0 ]; then
    tests/unit.sh "$reports/unit" "${programs[@]}"
    read -r good bad <"$reports/unit"
    passed=$((passed + good)) failed=$((failed + bad))
fi

# A build folder outside the tree does not find weir.h by itself.
case "$(realpath "$build")" in "$PWD"/*) ;; *) export WEIR_ROOT=$PWD ;; esac

# One attribute of the first <testsuite> of the report $1; 0 if it is not there.
attribute() { grep -o '<testsuite [^>]*' "$1" 2>/dev/null | head -1 | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0; }

# A process a folder: hundreds of kernels' sockets in one process are too many descriptors.
for folder in "$@"; do
    report=$reports/$(basename "$folder").xml
    rm -f "$report"
    printf '\n%s\n' "$folder"
    WEIR_BUILD=$(realpath "$build") "$venv/bin/python" -m pytest -o cache_dir="$reports/cache" -o junit_family=xunit2 \
        --junitxml="$report" --timeout=300 --durations=5 --durations-min=5 -q -ra "$folder"
    status=$?
    total=$(attribute "$report" tests) left=$(attribute "$report" skipped)
    bad=$(($(attribute "$report" failures) + $(attribute "$report" errors)))
    if [ $status != 0 ] && [ $bad = 0 ]; then
        echo "check: pytest $folder ended with status $status"
        bad=1 total=$((total + 1))
    fi
    failed=$((failed + bad)) skipped=$((skipped + left)) passed=$((passed + total - bad - left))
done

line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo
echo "$line"
[ "$failed" = 0 ]
