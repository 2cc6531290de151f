import express, { type Request, type Response } from 'express'
import ms from 'ms'
import { readdirSync, statfsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'

const app = express()
const started = Date.now()

function attempt (what: () => unknown): string {
  try {
    what()
    return 'done'
  } catch (e) {
    return (e as NodeJS.ErrnoException).code ?? String(e)
  }
}

app.get('/', (request: Request, response: Response) => {
  response.json({
    hello: request.query.name ?? 'world',
    node: process.version,
    up: ms(Date.now() - started),
    'node_modules is FUSE': statfsSync('node_modules').type === 0x65735546,
    'write into it': attempt(() => writeFileSync('node_modules/express/evil.js', '')),
    'files in the home directory': readdirSync(homedir()).length,
    'environment': Object.keys(process.env).length + ' variables'
  })
})

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') console.log(`port ${address.port}`)
})
process.on('SIGTERM', () => server.close(() => process.exit(0)))
