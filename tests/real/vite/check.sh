vite build >build.log 2>&1 || { cat build.log; exit 1; }
(cd dist && find . -type f | sort | xargs sha256sum)
