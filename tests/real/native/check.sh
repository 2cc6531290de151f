esbuild --version
echo 'let x: number = 1; console.log(x ?? 2)' | esbuild --loader=ts --target=es2019
node image.js
