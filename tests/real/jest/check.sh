jest --ci 2>&1 | grep -v -E '^(Time:|Ran all)' | sed -E 's/ \([0-9.]+ m?s\)//'
