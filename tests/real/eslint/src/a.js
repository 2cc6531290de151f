import { missing } from "./b.js";
const unused = 1;
if (missing = 2) { undefinedName(); }
