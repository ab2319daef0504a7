#!/usr/bin/env python3
"""Makes small captures of HTTP over TLS, one a case, each with its key log and what was said.

usage: make_tls_captures.py FOLDER [CASE...]   (needs root for tcpdump; openssl 3 and tcpdump)

FOLDER/CASE.pcap, CASE.keys, CASE.json: [[method, target, status, sha256 of the response body]...].
Most cases are Python's ssl on both sides; 0-RTT, KeyUpdate and renegotiation are `openssl s_client`.
"""
import hashlib, json, os, socket, ssl, subprocess, sys, tempfile, threading, time

PORT = 18443
OP_NO_ETM = 0x80000
TLS13_SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_AES_128_CCM_SHA256"]


def certificate(folder, kind):
    key, cert = f"{folder}/{kind}.key", f"{folder}/{kind}.pem"
    algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else ["rsa:2048"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout", key,
                    "-out", cert, "-days", "30", "-subj", "/CN=mcp.example"],
                   check=True, capture_output=True)
    return cert, key


def answer(target):
    size = int(target.rsplit("/", 1)[1])
    return (json.dumps({"target": target}).encode() * (size // 16 + 1))[:size]


def serve(connection):
    """Answers GET and POST /json/SIZE with a body of SIZE bytes, GET /events/N with N events."""
    file = connection.makefile("rb")
    while True:
        line = file.readline()
        if not line:
            return
        target = line.split()[1].decode()
        length = 0
        while (field := file.readline().strip()):
            name, _, value = field.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        file.read(length)
        if target.startswith("/events/"):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                               b"transfer-encoding: chunked\r\n\r\n")
            for n in range(int(target.rsplit("/", 1)[1])):
                event = b"event: message\r\ndata: {\"n\":%d}\r\n\r\n" % n
                connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
                time.sleep(0.005)
            connection.sendall(b"0\r\n\r\n")
        else:
            body = answer(target)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                               b"content-length: %d\r\n\r\n" % len(body) + body)


def request(method, target, body=b""):
    return (f"{method} {target} HTTP/1.1\r\nhost: mcp.example\r\n"
            f"content-length: {len(body)}\r\n\r\n").encode() + body


def exchange(connection, method, target, body=b""):
    connection.sendall(request(method, target, body))
    data = b""
    while True:
        head, _, rest = data.partition(b"\r\n\r\n")
        if rest and b"transfer-encoding" in head and rest.endswith(b"0\r\n\r\n"):
            break
        if b"content-length: " in head and len(rest) == int(target.rsplit("/", 1)[1]):
            break
        part = connection.recv(65536)
        if not part:
            break
        data += part
    if "/events/" in target:
        events = range(int(target.rsplit("/", 1)[1]))
        rest = b"".join(b"event: message\r\ndata: {\"n\":%d}\r\n\r\n" % n for n in events)
    return [method, target, 200, hashlib.sha256(rest).hexdigest()]


class Capture:
    def __init__(self, folder, name):
        self.base = f"{folder}/{name}"
        for end in (".pcap", ".keys", ".json"):
            if os.path.exists(self.base + end):
                os.remove(self.base + end)
        self.truth = []
        self.process = subprocess.Popen(
            ["tcpdump", "-i", "lo", "-U", "-s0", "--immediate-mode", "-w", self.base + ".pcap", f"tcp port {PORT}"],
            stderr=subprocess.PIPE, text=True)
        self.process.stderr.readline()

    def close(self):
        time.sleep(0.3)
        self.process.terminate()
        self.process.wait()
        json.dump(self.truth, open(self.base + ".json", "w"))


def listen():
    listener = socket.create_server(("127.0.0.1", PORT), reuse_port=True)
    listener.settimeout(10)
    return listener


def python_case(folder, name, certs, suites=None, version=ssl.TLSVersion.TLSv1_2, kind="ec", connections=1,
                server_curve=None, options=0, server_options=0, alpn=None, sizes=(300, 3000)):
    capture = Capture(folder, name)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    server.load_cert_chain(*certs[kind])
    for context in (server, client):
        context.minimum_version = context.maximum_version = version
        context.options |= options
        if suites:
            context.set_ciphers(suites + ":@SECLEVEL=0")
        if alpn:
            context.set_alpn_protocols(alpn)
    server.options |= server_options
    if server_curve:
        server.set_ecdh_curve(server_curve)
    client.keylog_filename = capture.base + ".keys"
    listener = listen()

    def accept():
        for _ in range(connections):
            raw, _ = listener.accept()
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with server.wrap_socket(raw, server_side=True) as connection:
                    serve(connection)
                    connection.unwrap()
            except (OSError, ssl.SSLError):
                pass

    thread = threading.Thread(target=accept)
    thread.start()
    session = None
    for i in range(connections):
        raw = socket.create_connection(("127.0.0.1", PORT))
        connection = client.wrap_socket(raw, server_hostname="mcp.example", session=session)
        capture.truth.append(exchange(connection, "POST", f"/json/{sizes[0] + i}", b'{"a":1}' * 20))
        capture.truth.append(exchange(connection, "GET", "/events/3"))
        capture.truth.append(exchange(connection, "POST", f"/json/{sizes[1] + i}", b"x" * 500))
        session = connection.session
        if i > 0 and not connection.session_reused:
            raise SystemExit(f"{name}: the session was not resumed")
        try:
            connection.unwrap()
        except (OSError, ssl.SSLError):
            pass
        connection.close()
    thread.join()
    listener.close()
    capture.close()


def openssl_case(folder, name, certs, steps, server=(), client=(), early=None, restart=False):
    """Steps are typed into s_client (bytes) and, in turn, s_server (bytes in a list)."""
    capture = Capture(folder, name)
    cert, key = certs["ec"]
    quiet = dict(stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start():
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", str(PORT), "-cert", cert, "-key", key,
             "-keylogfile", capture.base + ".keys", *server], **quiet)
        time.sleep(0.5)
        return process

    answering = start()
    base = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-servername", "mcp.example", *client]

    def type_into(process, text):
        process.stdin.write(text)
        process.stdin.flush()
        time.sleep(0.2)

    if early:
        # A first connection for its ticket.
        ticket, data = tempfile.mktemp(), tempfile.mktemp()
        open(data, "wb").write(early)
        first = subprocess.Popen(base + ["-sess_out", ticket], **quiet)
        time.sleep(0.7)
        type_into(first, b"Q\n")  # Who leaves without close_notify has its session forgotten.
        first.terminate()
        first.wait()
        base += ["-sess_in", ticket, "-early_data", data]
        if restart:  # Who has other ticket keys refuses.
            answering.terminate()
            answering.wait()
            answering = start()
    asking = subprocess.Popen(base, **quiet)
    time.sleep(0.7)
    for step in steps:
        if isinstance(step, list):
            type_into(answering, step[0])
        else:
            type_into(asking, step)
    type_into(asking, b"Q\n")
    asking.terminate()
    asking.wait()
    answering.terminate()
    answering.wait()
    targets = [f"/line/{n}" for n in range(1, 9) if (early == line(n) and not restart) or line(n) in steps]
    bodies = [[b"ok\n", hashlib.sha256(b"ok\n").hexdigest()][1]] * len(targets)
    capture.truth = [["GET", target, 200, body] for target, body in zip(targets, bodies)]
    capture.close()


OK = [b"HTTP/1.1 200 OK\ncontent-length: 3\n\nok\n"]


def line(n):
    return b"GET /line/%d HTTP/1.1\n\n" % n


def cases(folder):
    certs = {kind: certificate(folder, kind) for kind in ("ec", "rsa")}
    t10, t11, t12, t13 = (getattr(ssl.TLSVersion, "TLSv1" + v) for v in ("", "_1", "_2", "_3"))
    py = lambda name, **more: lambda: python_case(folder, name, certs, **more)
    ossl = lambda name, *steps, **more: lambda: openssl_case(folder, name, certs, steps, **more)
    all_cases = {
        "tls13": py("tls13", version=t13, alpn=["http/1.1"], sizes=(300, 40000)),
        "tls13-hello-retry": py("tls13-hello-retry", version=t13, server_curve="secp521r1"),
        "tls13-resumed": py("tls13-resumed", version=t13, connections=2),
        "tls12-session-id": py("tls12-session-id", connections=2, options=ssl.OP_NO_TICKET),
        "tls12-ticket": py("tls12-ticket", connections=2),
        "tls13-key-update": ossl("tls13-key-update", line(1), OK, b"K\n", line(2), OK, [b"K\n"], line(3), OK, b"k\n", line(4), OK, client=["-tls1_3"]),
        "tls12-renegotiation": ossl("tls12-renegotiation", line(1), OK, b"R\n", line(2), OK, client=["-tls1_2", "-legacy_renegotiation"],
                                    server=["-client_renegotiation"]),
        "tls13-early-data": ossl("tls13-early-data", OK, line(2), OK, server=["-early_data", "-tls1_3"], client=["-tls1_3"], early=line(1)),
        "tls13-early-data-refused": ossl("tls13-early-data-refused", line(2), OK, server=["-early_data", "-tls1_3"],
                                         client=["-tls1_3"], restart=True, early=line(1)),
    }
    for suite in ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
                  "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256",
                  "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-AES256-CCM",
                  "ECDHE-ECDSA-CAMELLIA128-SHA256"]:
        name = "tls12-" + suite.lower()
        all_cases[name] = py(name, suites=suite)
        if "GCM" not in suite and "CCM" not in suite and "POLY" not in suite and "CAM" not in suite:
            all_cases[name + "-mac-first"] = py(name + "-mac-first", suites=suite, options=OP_NO_ETM)
    for suite in ["AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA"]:
        name = "tls12-rsa-" + suite.lower()
        all_cases[name] = py(name, suites=suite, kind="rsa")
    for version, number in ((t10, "tls10"), (t11, "tls11")):
        all_cases[number] = py(number, version=version, suites="ECDHE-ECDSA-AES128-SHA")
        all_cases[number + "-mac-first"] = py(number + "-mac-first", version=version, suites="ECDHE-ECDSA-AES256-SHA", options=OP_NO_ETM)
    for suite in TLS13_SUITES:
        name = "suite-" + suite.lower()
        all_cases[name] = ossl(name, line(1), OK, line(2), OK, client=["-tls1_3", "-ciphersuites", suite], server=["-ciphersuites", suite])
    return all_cases


if __name__ == "__main__":
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, make in cases(folder).items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        print(name, flush=True)
        make()
