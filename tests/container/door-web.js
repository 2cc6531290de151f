// SPDX-License-Identifier: GPL-2.0-or-later
// door-web.js ADDRESS KEY CERT: HTTP on 80, HTTPS on 443 and an npm registry on 4873, for tests of the door.
'use strict'

const fs = require('fs')
const http = require('http')
const https = require('https')
const path = require('path')
const { tarball, sri } = require(path.join(process.env.SRC, 'tests/lib/registry.js'))
const [address, key, cert] = process.argv.slice(2)

const hello = (req, res) => {
  let n = 0
  req.on('data', d => { n += d.length })
  req.on('end', () => res.end(`${req.method} ${n}`))
}
const archive = tarball('leaf', '1.0.0')
const packument = host => JSON.stringify({
  name: 'leaf',
  'dist-tags': { latest: '1.0.0' },
  versions: { '1.0.0': { name: 'leaf', version: '1.0.0', dist: { tarball: `http://${host}/leaf.tgz`, integrity: sri(archive) } } }
})
const registry = (req, res) => res.end(req.url === '/leaf.tgz' ? archive : packument(req.headers.host))

const servers = [[http.createServer(hello), 80], [http.createServer(registry), 4873],
  [https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, hello), 443]]
let left = servers.length
for (const [server, port] of servers) server.listen(port, address, () => --left || console.log('ready'))
