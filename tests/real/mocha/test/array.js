const { expect } = require("chai");
const sinon = require("sinon");

describe("arrays", () => {
  it("finds", () => expect([1, 2, 3].indexOf(2)).to.equal(1));
  it("calls back", () => {
    const spy = sinon.spy();
    [1, 2].forEach(spy);
    sinon.assert.calledTwice(spy);
  });
});
