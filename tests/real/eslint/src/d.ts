export const f = (x: any): number => x;
