export NEXT_TELEMETRY_DISABLED=1
next build >build.log 2>&1 || { cat build.log; exit 1; }
grep -o '<main>.*</main>' .next/server/pages/index.html
ls .next/server/pages
