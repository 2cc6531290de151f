#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# Programs as they are, without a proxy's variables, through the network door: curl, Node, undici, npm, Python,
# Java and Go, to servers of the test's own on a public address that only the test's network namespace has.
if [ "${1-}" != inside ]; then
	user=$([ "$(id -u)" = 0 ] || echo -Ur)
	unshare $user -mn true 2>/dev/null || { echo "1..0 # SKIP no namespaces of its own"; exit 0; }
	# While there is a network: the client that Node's own fetch is made of, by itself.
	cache=${BUILD:-$(dirname "$0")/../../build}/test-cache
	if [ ! -e "$cache/undici/package.json" ] && command -v npm >/dev/null; then
		mkdir -p "$cache/undici" && (cd "$cache" && tar=$(npm pack --silent undici@6.21.0 2>/dev/null) &&
			tar -xzf "$tar" -C undici --strip-components 1 && rm -f "$tar") || rm -rf "$cache/undici"
	fi
	exec unshare $user -mn "$0" inside
fi
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin" "$T/w"
chmod 777 "$T/w"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$BUILD/bin/cratons-egress" "$T/bin"
command -v openssl >/dev/null && command -v node >/dev/null || skip_all "openssl and node are needed"
uids=$(id -u)
[ "$uids" != 0 ] || ! setpriv --reuid $NOBODY --clear-groups true 2>/dev/null || uids="0 $NOBODY"

ip link set lo up
ip addr add 93.184.216.34/32 dev lo
printf '127.0.0.1 localhost\n93.184.216.34 web.test registry.test\n' >"$T/hosts"
printf 'hosts: files\n' >"$T/nsswitch.conf"
mount --bind "$T/hosts" /etc/hosts
mount --bind "$T/nsswitch.conf" /etc/nsswitch.conf
cd "$T/w" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Test CA' \
	-keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web.test -keyout web.key -out web.csr 2>/dev/null
printf 'subjectAltName=DNS:web.test\n' >ext
openssl x509 -req -in web.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out web.pem 2>/dev/null
node "$SRC/tests/container/door-web.js" 93.184.216.34 web.key web.pem >"$T/ready" 2>&1 &
at_end "kill $!"
for i in {1..100}; do grep -q ready "$T/ready" && break; sleep 0.1; done
grep -q ready "$T/ready" || { not_ok "the servers listen" "$(cat "$T/ready")"; finish; }
rm -f ca.key web.key

cat >get.js <<'EOF'
const http = require('http'), https = require('https')
const get = (m, u) => new Promise((resolve, reject) => m.get(u, res => {
  let s = ''; res.on('data', d => { s += d }).on('end', () => resolve(s)) }).on('error', reject))
;(async () => {
  console.log(await get(http, 'http://web.test/'), await get(https, 'https://web.test/'))
  console.log(await (await fetch('http://web.test/', { method: 'POST', body: 'x'.repeat(3e6) })).text(),
    (await Promise.all(Array.from({ length: 50 }, () => fetch('https://web.test/').then(r => r.text())))).length)
  console.log(await fetch('https://other.test/').catch(e => e.cause.code))
})()
EOF
cat >get-undici.js <<'EOF'
const { request, fetch, Agent } = require('./undici')
;(async () => {
  const r = await request('https://web.test/', { method: 'POST', body: 'x'.repeat(1e6) })
  console.log(await r.body.text(), await (await fetch('http://web.test/')).text())
  const one = { dispatcher: new Agent({ connections: 1, pipelining: 10 }) }
  console.log((await Promise.all(Array.from({ length: 100 }, () => request('http://web.test/', one).then(a => a.body.text())))).length)
  console.log(await request('http://other.test/').catch(e => e.code))
  one.dispatcher.close()
})()
EOF
cat >get.py <<'EOF'
import urllib.request, ssl
c = ssl.create_default_context(cafile="ca.pem")
print(urllib.request.urlopen("http://web.test/").read().decode(),
    urllib.request.urlopen("https://web.test/", data=b"x" * 3000000, context=c).read().decode())
try:
    urllib.request.urlopen("http://other.test/")
except OSError as e:
    print(type(e).__name__)
EOF
cat >Get.java <<'EOF'
import java.net.*; import java.net.http.*; import java.io.*;
public class Get {
	public static void main(String[] a) throws Exception {
		var c = HttpClient.newHttpClient();
		for (var u : new String[] { "http://web.test/", "https://web.test/" })
			System.out.println(c.send(HttpRequest.newBuilder(URI.create(u)).build(), HttpResponse.BodyHandlers.ofString()).body());
		System.out.println(new String(new URL("http://web.test/").openStream().readAllBytes()));
		try { new Socket("other.test", 80); } catch (UnknownHostException e) { System.out.println("unknown"); }
	}
}
EOF
cat >get.go <<'EOF'
package main
import ("bytes"; "errors"; "fmt"; "io"; "net"; "net/http")
func get(url string) {
	r, err := http.Get(url); if err != nil { panic(err) }
	b, _ := io.ReadAll(r.Body); fmt.Println(string(b))
}
func main() {
	get("http://web.test/"); get("https://web.test/")
	r, err := http.Post("https://web.test/", "", bytes.NewReader(make([]byte, 3000000))); if err != nil { panic(err) }
	b, _ := io.ReadAll(r.Body); fmt.Println(string(b))
	done := make(chan error)
	for i := 0; i < 50; i++ { go func() {
		r, err := (&http.Client{Transport: &http.Transport{}}).Get("http://web.test/"); if err == nil { r.Body.Close() }
		done <- err } () }
	n := 0
	for i := 0; i < 50; i++ { if <-done == nil { n++ } }
	fmt.Println(n)
	_, err = http.Get("http://other.test/")
	var d *net.DNSError
	fmt.Println(errors.As(err, &d) && d.IsNotFound)
}
EOF

if command -v go >/dev/null; then
	export GOCACHE=$T/gocache GO111MODULE=off
	CGO_ENABLED=1 go build -o get get.go && CGO_ENABLED=0 go build -o get-static get.go || rm -f get
fi
cp -r "$BUILD/test-cache/undici" . 2>/dev/null

name() { echo "uid $uid: $1"; }
box() {
	local as=
	[ "$uid" = "$(id -u)" ] || as="setpriv --reuid $uid --regid $uid --clear-groups"
	$as "$T/bin/sandbox-tool" --bind "$T/w" --cwd "$T/w" --net web.test:80,443 --net registry.test:4873 "$@" 2>"$T/err"
}
gives() { # NAME WANTED COMMAND...
	local what=$1 wanted=$2 got
	shift 2
	got=$(box "$@" | tr '\n' ' ')
	if [ "$got" = "$wanted" ]; then ok "$(name "$what")"; else not_ok "$(name "$what")" "got: $got
$(tail -n 5 "$T/err"; cat p/npm.out 2>/dev/null)"; fi
}
present() { # PROGRAM in the container
	box -- sh -c "command -v $1" >/dev/null
}

for uid in $uids; do
	gives curl "GET 0GET 0POST 3000000" -- sh -c 'curl -sS http://web.test/; curl -sS --cacert ca.pem https://web.test/; head -c 3000000 /dev/zero | curl -sS --cacert ca.pem --data-binary @- https://web.test/'
	gives "curl: IPv6 first, or alone" "GET 0" -- curl -sS6 http://web.test/
	gives "curl: a name that is not granted" "6 " -- sh -c 'curl -s http://other.test/; echo $?'
	gives "Node: http, https, fetch, fifty at once" "GET 0 GET 0 POST 3000000 50 ENOTFOUND " --env NODE_EXTRA_CA_CERTS=ca.pem -- node get.js
	gives Python "GET 0 POST 3000000 URLError " -- /usr/bin/python3 get.py
	rm -rf p
	mkdir -m 777 p
	echo '{"dependencies":{"leaf":"1"}}' >p/package.json
	if present npm; then
		gives "npm install" "leaf@1.0.0 " --env npm_config_registry=http://registry.test:4873/ -- sh -c 'cd p && npm install --no-audit --no-fund >npm.out 2>&1 && node -p "require(\"leaf\")"'
	else
		skip "$(name "npm install")" "no npm in /usr"
	fi
	if present java && present keytool; then
		rm -f trust.p12
		keytool -importcert -noprompt -file ca.pem -alias ca -keystore trust.p12 -storepass changeit >/dev/null 2>&1
		chmod 644 trust.p12
		gives Java "GET 0 GET 0 GET 0 unknown " -- java -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit Get.java
	else
		skip "$(name Java)" "no Java in /usr"
	fi
	if [ -x get ]; then
		for resolver in cgo go; do
			gives "Go, names by $resolver" "GET 0 GET 0 POST 3000000 50 true " --env GODEBUG=netdns=$resolver --env SSL_CERT_FILE=ca.pem -- ./get
		done
		gives "Go without a C library" "GET 0 GET 0 POST 3000000 50 true " --env SSL_CERT_FILE=ca.pem -- ./get-static
	else
		skip "$(name Go)" "no go on this host"
	fi
	if [ -e undici/package.json ]; then
		gives undici "POST 1000000 GET 0 100 ENOTFOUND " --env NODE_EXTRA_CA_CERTS=ca.pem -- node get-undici.js
	else
		skip "$(name undici)" "it could not be fetched"
	fi
done
finish
