"""A real HAProxy with https on the loopback, as its golden configuration has it, and web servers behind it."""

import datetime
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
OF_A_MACHINE = ("log /dev/log local0", "chroot /var/lib/haproxy", "user haproxy", "group haproxy")


def need(*programs):
    """Ends the test as skipped where one of them is not installed."""
    os.environ["PATH"] += ":/usr/sbin"
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: {program} is not installed", file=sys.stderr)
            sys.exit(77)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def make_certificate(folder, *hosts):
    """A certificate that it signed itself and its key, in PEM."""
    certificate, key = folder / "made.pem", folder / "made.key"
    names = ",".join("DNS:" + host for host in hosts)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return certificate.read_text() + key.read_text()


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the request's path and headers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = f"{self.command} {self.path}\n{self.headers}{self.rfile.read(length).decode()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *arguments):
        pass


class Web(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments):
        """HAProxy's health checks do not read to the end."""


class Balancer:
    """HAProxy with the configuration golden/NAME.cfg, its folders and ports moved."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="paas-tls-"))
        self.certificates = self.folder / "certificates"
        self.web = Web(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.http_port, self.https_port, self.challenge_port = free_port(), free_port(), free_port()
        self.program = self.folder / "paas-certificate"
        script = (HERE / "../../lib/observe/certificate_script.hpp").read_text()
        self.program.write_text(self.moved(re.search(r'R"sh\((.*)\)sh"', script, re.S).group(1)))
        self.program.chmod(0o755)
        self.configuration = self.folder / "haproxy.cfg"
        self.configuration.write_text(self.configured((HERE / f"golden/{name}.cfg").read_text()))
        self.process = None

    def moved(self, text):
        for old, new in (("/etc/haproxy/certificates", str(self.certificates)), ("/run/haproxy", str(self.folder)),
                         ("/etc/letsencrypt", str(self.folder / "letsencrypt")), ("8402", str(self.challenge_port))):
            text = text.replace(old, new)
        return text

    def configured(self, text):
        lines = []
        for line in self.moved(text).splitlines():
            if line.strip() in OF_A_MACHINE:
                continue
            line = re.sub(r"bind \*:80$", f"bind 127.0.0.1:{self.http_port}", line)
            line = re.sub(r"bind \*:443 ", f"bind 127.0.0.1:{self.https_port} ", line)
            line = re.sub(r"bind (\*|10\.1\.0\.2):\d+", lambda match: f"bind 127.0.0.1:{free_port()}", line)
            lines.append(re.sub(r"(server zipkick-\S+) \S+", rf"\1 127.0.0.1:{self.web.server_port}", line))
        return "\n".join(lines) + "\n"

    def put(self, name, pem, *hosts):
        subprocess.run([self.program, "put", name, *hosts], input=pem, text=True, check=True)

    def remove(self, name):
        subprocess.run([self.program, "remove", name], check=True)

    def start(self):
        self.process = subprocess.Popen(["haproxy", "-W", "-f", self.configuration])
        eventually(lambda: self.ask("show info"), "HAProxy answers")

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            eventually(lambda: not self.ask("show info"), "HAProxy is gone")
        self.process = None

    def close(self):
        self.stop()
        self.web.shutdown()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as admin:
            try:
                admin.connect(str(self.folder / "admin.sock"))
                admin.sendall(command.encode() + b"\n")
                answer = b""
                while part := admin.recv(65536):
                    answer += part
                return answer.decode()
            except OSError:
                return ""

    def worker(self):
        return re.search(r"^Pid: (\d+)", self.ask("show info"), re.M).group(1)

    def connect(self, host):
        """A TLS connection that asks for the host."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.https_port)), server_hostname=host)

    def shown(self, host):
        """The certificate that is shown to those who ask for the host, in PEM."""
        with self.connect(host) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))

    def shows(self, host, pem):
        return first_certificate(pem).split() == self.shown(host).split()

    def curl(self, *arguments):
        command = ["curl", "-sS", "-i", "--max-time", "20", "--connect-to", f"::127.0.0.1:{self.https_port}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def everything_shown(self):
        """What the running HAProxy has: its list, and the fingerprint of each certificate."""
        listed = self.ask(f"show ssl crt-list {self.certificates}/list")
        prints = {}
        for line in listed.splitlines():
            if line.startswith("/"):
                path = line.split()[0]
                prints[path] = re.search(r"^SHA1 FingerPrint: (\w+)", self.ask(f"show ssl cert {path}"), re.M).group(1)
        return sorted(line for line in listed.splitlines() if line.startswith("/")), prints


class KeepAlive:
    """One connection that is asked again and again in a thread of its own: what ends it is a failure."""

    def __init__(self, balancer, host):
        self.connection = balancer.connect(host)
        self.host = host
        self.answers = 0
        self.failure = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        stream = self.connection.makefile("rb")
        try:
            while not self.stopping.is_set():
                self.connection.sendall(f"GET / HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
                status = stream.readline()
                if not status.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"answered {status!r}")
                length = 0
                while (line := stream.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                stream.read(length)
                self.answers += 1
        except (OSError, RuntimeError) as error:
            self.failure = error

    def goes_on(self):
        """Waits for ten more answers."""
        before = self.answers
        eventually(lambda: self.failure or self.answers > before + 10, "more answers on the kept connection")
        assert not self.failure, self.failure

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.connection.close()
        assert not self.failure, self.failure
        return self.answers


def first_certificate(pem):
    return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", pem, re.S).group(0)


def said(text):
    print(f"{datetime.datetime.now():%T} {text}", flush=True)
