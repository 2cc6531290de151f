// SPDX-License-Identifier: GPL-2.0-or-later
// language.js ATTACK ARGUMENT...: what Node offers. Whether it won is judged from outside (languages.sh).
'use strict';
const fs = require('fs');
const [what, first, second] = process.argv.slice(2);
const say = text => process.stdout.write(String(text));

const attacks = {
  fs: () => say(fs.readFileSync(first)),
  promises: async () => say(await fs.promises.readFile(first)),
  stream: () => fs.createReadStream(first).pipe(process.stdout),
  worker: () => {
    const { Worker } = require('worker_threads');
    new Worker(`require('worker_threads').parentPort.postMessage(
      require('fs').readFileSync(${JSON.stringify(first)}, 'utf8'))`, { eval: true }).on('message', say);
  },
  child: () => say(require('child_process').execFileSync('/bin/cat', [first])),
  // Below every module that a guard could replace.
  binding: () => {
    const { output } = process.binding('spawn_sync').spawn({ file: '/bin/cat', args: ['cat', first], envPairs: [],
      stdio: [{ type: 'ignore' }, { type: 'pipe', readable: false, writable: true }, { type: 'ignore' }] });
    say(output[1]);
  },
  blob: async () => say(await (await fs.openAsBlob(first)).text()),
  // A directory handed to WebAssembly is still a directory that Node must see.
  wasi: () => {
    const path = require('path');
    const { WASI } = require('wasi');
    new WASI({ version: 'preview1', preopens: { '/': path.dirname(first) } });
    say(fs.readFileSync(first));
  },
  addon: () => {
    process.env.PROBE_FILE = second;
    process.dlopen({ exports: {} }, first);
  },
  net: () => require('net').connect(+first, '127.0.0.1', function () { this.end(second); }),
  http: () => require('http').get({ host: '127.0.0.1', port: +first, path: '/' + second }),
  fetch: () => fetch(`http://127.0.0.1:${first}/${second}`),
  dgram: () => {
    const s = require('dgram').createSocket('udp4');
    s.send(second, +first, '127.0.0.1', () => s.close());
  },
  dns: () => {
    const resolver = new (require('dns').promises.Resolver)({ timeout: 300, tries: 1 });
    resolver.setServers(['127.0.0.1']);
    return resolver.resolve4(second + '.example.com');
  },
  kill: () => process.kill(+first, 'SIGKILL'),
  inspect: () => {
    require('inspector').open(+first, '0.0.0.0');
    setTimeout(() => process.exit(), (+second || 1.5) * 1000);
  },
};

process.on('uncaughtException', e => { console.error(e.message); process.exit(1); });
Promise.resolve(attacks[what]()).catch(e => { console.error(e.message); process.exitCode = 1; });
