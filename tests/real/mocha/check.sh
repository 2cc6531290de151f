mocha --reporter dot 2>&1 | sed -E 's/\([0-9]+ms\)//'
mocha --reporter json | node -e 'const r = JSON.parse(require("fs").readFileSync(0)); console.log(r.passes.map((t) => t.fullTitle))'
