import { createHash } from "node:crypto";

interface Named { name: string }
const greet = (who: Named): string => `hello ${who.name}`;

console.log(greet({ name: "types" }), createHash("sha256").update("x").digest("hex").slice(0, 8));
