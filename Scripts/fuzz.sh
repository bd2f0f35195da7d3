#!/bin/sh
# Feeds each reader of foreign input with damaged input for so many seconds: fuzz.sh PROGRAM SECONDS [TARGET...]
# Inputs that lead to new code are kept in .build/fuzz/corpus; what ends the program, or takes too long or too much, in .build/fuzz/findings.
set -u
program=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- elf object payload patch config source
cd "$(dirname "$0")/.." || exit 1
work=.build/fuzz
mkdir -p "$work/findings"
failed=0
for target; do
    mkdir -p "$work/corpus/$target"
    log=$work/$target.log
    # Ten seconds and 1 GiB are what an input may take. The sanitizer's own memory comes on top.
    XSPLICE_FUZZ=$target XSPLICE_FUZZ_SAMPLE=Fixtures/fuzz/object/one-x86_64 ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16 \
        "$program" -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=1024 -rss_limit_mb=3072 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$work/findings/$target-" "$work/corpus/$target" "Fixtures/fuzz/$target" >"$log" 2>&1
    code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    [ $code -eq 0 ] || failed=1
    printf '%-8s %10s executions in %s s, exit %s%s\n' "$target" "${runs:-?}" "$seconds" "$code" "$([ $code -eq 0 ] || echo ", see $log")"
done
exit $failed
