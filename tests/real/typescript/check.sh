tsc --version
tsc && node out/main.js
tsc --noEmit false --outDir out2 src/wrong.ts; echo "status $?"
ts-node src/main.ts
