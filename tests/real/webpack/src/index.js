import { chunk, sum } from "lodash-es";

const groups = chunk([1, 2, 3, 4, 5], 2);
console.log(groups.map((g) => sum(g)).join(" "));
