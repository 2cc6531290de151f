const n: number = "not one";
console.log(n);
