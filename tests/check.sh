#!/usr/bin/env bash
# Every test of a built tree, then one closing line "N passed, N failed".
#
#   tests/check.sh BUILD_FOLDER VENV [PYTEST_ARGUMENT...]     default arguments: tests
#
# Layers and style count as one test each. Stops at nothing: the exit status tells at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

build=$1 venv=$2
shift 2
[ $# -gt 0 ] || set -- tests
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
rm -f "$reports/pytest.xml"
WEIR_BUILD=$(realpath "$build") "$venv/bin/python" -m pytest -o cache_dir="$reports/cache" -o junit_family=xunit2 \
    --junitxml="$reports/pytest.xml" --timeout=300 --durations=10 --durations-min=5 -ra "$@"
status=$?

# One attribute of the report's first <testsuite>.
attribute() { grep -o '<testsuite [^>]*' "$reports/pytest.xml" 2>/dev/null | head -1 | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }
total=$(attribute tests) bad=$(attribute failures) errors=$(attribute errors) left=$(attribute skipped)
bad=$((${bad:-0} + ${errors:-0}))
if [ $status != 0 ] && [ $bad = 0 ]; then
    echo "check: pytest ended with status $status"
    bad=1 total=$((${total:-0} + 1))
fi
failed=$((failed + bad)) skipped=${left:-0}
passed=$((passed + ${total:-0} - bad - skipped))

line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo
echo "$line"
[ "$failed" = 0 ]
