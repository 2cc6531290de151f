import { sum } from "./sum";

jest.useFakeTimers();

test("adds", () => expect(sum(1, 2, 3)).toBe(6));
test("matches what was written down", () => expect({ total: sum(4, 5) }).toMatchInlineSnapshot(`
{
  "total": 9,
}
`));
test("waits", () => {
  const called = jest.fn();
  setTimeout(called, 1000);
  jest.runAllTimers();
  expect(called).toHaveBeenCalledTimes(1);
});
