prettier ugly.js ugly.css ugly.md ugly.ts
prettier --check ugly.js; echo "status $?"
