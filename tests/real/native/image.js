const sharp = require("sharp");

const svg = Buffer.from('<svg width="8" height="8"><rect width="8" height="8" fill="#f00"/></svg>');
sharp(svg).resize(4, 4).raw().toBuffer({ resolveWithObject: true }).then(({ data, info }) =>
  console.log(info.width, info.height, info.channels, data.subarray(0, 3).toString("hex")));
