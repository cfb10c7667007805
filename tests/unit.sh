#!/usr/bin/env bash
# Run cmocka programs one by one: a line each, the whole output of one that fails, and at the end what failed.
#
#   tests/unit.sh COUNTS PROGRAM...     COUNTS: a file that gets "PASSED FAILED"
#
# UNIT_UNDER (for example "valgrind -q --error-exitcode=9") stands before each program. A program that dies, or runs no test,
# counts as one failed test.
set -uo pipefail

counts=$1
shift
passed=0 failed=0 names=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Sum of N over lines "[  WORD  ] N test(s)..." of the log: cmocka prints one a group of tests.
sum() { awk -v word="$1" '$1 == "[" && $2 == word && $5 ~ /^test\(s\)/ { n += $4 } END { print n + 0 }' "$log"; }

for program in "$@"; do
    # shellcheck disable=SC2086  # UNIT_UNDER is a command with its options
    timeout "${UNIT_TIMEOUT:-300}" ${UNIT_UNDER:-} "$program" >"$log" 2>&1
    status=$?
    good=$(sum PASSED) bad=$(sum FAILED)
    if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$good" = 0 ]; }; then
        bad=1
        echo "(exit status $status, $good tests passed before)" >>"$log"
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf 'unit  %-32s %4d passed\n' "$(basename "$program")" "$good"
    else
        printf 'unit  %-32s %4d passed, %d FAILED\n' "$(basename "$program")" "$good" "$bad"
        sed 's/^/    /' "$log"
        names+=("$(basename "$program")")
    fi
done
echo "$passed $failed" >"$counts"
if [ "$failed" != 0 ]; then
    echo "unit  failed: ${names[*]}"
    exit 1
fi
