const express = require("express");
const http = require("http");

const app = express();
app.use(express.json());
app.get("/hello/:name", (req, res) => res.json({ hello: req.params.name, query: req.query }));
app.use((req, res) => res.status(404).send("nothing here"));

const server = app.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const get = (path) => new Promise((resolve, reject) => http.get({ port, path }, (res) => {
    let body = "";
    res.on("data", (part) => { body += part; });
    res.on("end", () => resolve(`${res.statusCode} ${res.headers["content-type"]} ${body}`));
  }).on("error", reject));
  console.log(await get("/hello/world?a=1&b=2"));
  console.log(await get("/other"));
  server.close();
});
