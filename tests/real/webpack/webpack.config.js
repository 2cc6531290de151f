module.exports = {
  target: "node",
  entry: "./src/index.js",
  module: {
    rules: [{
      test: /\.js$/,
      use: { loader: "babel-loader", options: { cacheDirectory: true, presets: ["@babel/preset-env"] } },
    }],
  },
};
