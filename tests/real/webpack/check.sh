webpack --mode production >build.log 2>&1 || { cat build.log; exit 1; }
node dist/main.js
sha256sum dist/main.js
