#!/usr/bin/env python3
"""https with a real HAProxy: which certificate is shown, redirects, HSTS, HTTP/2, and certificates that are replaced
while connections are open. Exit status 77 where a program is missing."""

import hashlib
import pathlib
import re
import subprocess

from tls_support import Balancer, KeepAlive, make_certificate, need, said

need("haproxy", "openssl", "curl", "socat", "flock")


def names_pick_certificates(balancer):
    shop = make_certificate(balancer.folder, "shop.test", "www.shop.test")
    wide = make_certificate(balancer.folder, "*.wide.test")
    chosen = make_certificate(balancer.folder, "unused.test", "chosen.test")
    placeholder = make_certificate(balancer.folder, "nobody")
    balancer.put("default", placeholder)
    balancer.put("file.shop", shop)
    balancer.put("file.wide", wide)
    balancer.put("file.chosen", chosen, "chosen.test", "*.more.test")
    balancer.start()
    for host, pem in (("shop.test", shop), ("www.shop.test", shop), ("a.wide.test", wide), ("chosen.test", chosen),
                      ("x.more.test", chosen), ("unused.test", placeholder), ("other.test", placeholder)):
        assert balancer.shows(host, pem), host
    said("names pick certificates")


def answers_over_https(balancer):
    answer = balancer.curl("-k", "--http1.1", "-H", "X-Forwarded-Proto: http", "https://shop.test/x?y=1")
    assert answer.startswith("HTTP/1.1 200"), answer
    assert "GET /x?y=1\n" in answer and "x-forwarded-proto: https\n" in answer.lower(), answer
    hsts = "strict-transport-security: max-age=31536000; includesubdomains; preload"
    assert hsts in answer.lower(), answer
    # By ALPN, without being asked to.
    assert balancer.curl("-k", "https://shop.test/").startswith("HTTP/2 200"), answer
    said("answers over https, HTTP/2 by ALPN, HSTS")


def old_versions_are_refused(balancer):
    for version, accepted in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        tried = subprocess.run(
            ["openssl", "s_client", version, "-cipher", "DEFAULT@SECLEVEL=0", "-servername", "shop.test", "-connect",
             f"127.0.0.1:{balancer.https_port}"], input="", capture_output=True, text=True, check=False)
        assert (tried.returncode == 0) == accepted, (version, tried.stderr)
    said("TLS 1.1 is refused")


def http_is_redirected(balancer):
    def ask(path, *arguments, host="shop.test:8080"):
        url = f"http://127.0.0.1:{balancer.http_port}{path}"
        return subprocess.run(["curl", "-sS", "-i", "-H", f"Host: {host}", *arguments, url], check=True,
                              capture_output=True, text=True).stdout.lower()
    answer = ask("/a/b?c=d&e=%2Ff", "-d", "form=1")
    assert answer.startswith("http/1.1 308"), answer
    assert "\nlocation: https://shop.test/a/b?c=d&e=%2ff\n" in answer.replace("\r", ""), answer
    assert "strict-transport-security" not in answer, answer
    # Nobody listens there now, and nothing else answers in its place.
    assert ask("/.well-known/acme-challenge/x").startswith("http/1.1 503")
    said("http is redirected with host, path and query")


def certificates_change_under_connections(balancer):
    worker = balancer.worker()
    kept = KeepAlive(balancer, "shop.test")
    kept.goes_on()
    renewed = make_certificate(balancer.folder, "shop.test")
    balancer.put("file.shop", renewed)
    assert balancer.shows("shop.test", renewed)
    kept.goes_on()
    added = make_certificate(balancer.folder, "new.test")
    balancer.put("file.new", added)
    assert balancer.shows("new.test", added)
    # Another file for the names of one that goes, and other names for one that stays.
    balancer.put("host.chosen.test", make_certificate(balancer.folder, "chosen.test"))
    balancer.remove("file.chosen")
    balancer.put("file.new", added, "newer.test")
    assert balancer.shows("newer.test", added) and not balancer.shows("new.test", added)
    assert not (balancer.certificates / "file.chosen.pem").exists()
    # A text that is cut off changes nothing.
    cut = subprocess.run([balancer.program, "put", "file.shop"], input=renewed[:-40], text=True, check=False)
    assert cut.returncode != 0 and balancer.shows("shop.test", renewed)
    kept.goes_on()
    said(f"certificates changed under a connection with {kept.stop()} answers")
    assert balancer.worker() == worker, "HAProxy was reloaded"


def a_long_chain_is_taken(balancer):
    pem = make_certificate(balancer.folder, "long.test")
    certificate, key = pem.split("-----BEGIN PRIVATE KEY-----")
    long = certificate * 25 + "-----BEGIN PRIVATE KEY-----" + key
    assert 13000 < len(long) < 15500
    balancer.put("file.long", long)
    assert balancer.shows("long.test", pem)


def what_is_there_is_told(balancer):
    """What paasctl compares with what shall be there."""
    told = subprocess.run([balancer.program, "show"], check=True, capture_output=True, text=True).stdout
    assert "PRIVATE KEY" not in told
    lines, prints = balancer.everything_shown()
    files, lists = told.split("--- list\n")
    for path, fingerprint in prints.items():
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        assert f"--- certificate {pathlib.Path(path).name} {digest} {fingerprint}\n-----BEGIN CERT" in files, path
    listed, shown = lists.split("--- shown\n")
    assert sorted(listed.splitlines()) == lines and sorted(shown.splitlines()) == lines
    # Of one that lies there and that HAProxy was never told of, too.
    (balancer.certificates / "file.left.pem").write_text(make_certificate(balancer.folder, "left.test"))
    told = subprocess.run([balancer.program, "show"], check=True, capture_output=True, text=True).stdout
    assert re.search(r"^--- certificate file.left.pem \w{64} \n", told, re.M), told
    balancer.remove("file.left")


def a_fresh_start_shows_the_same(balancer):
    before = balancer.everything_shown()
    assert len(before[0]) == 6, before
    balancer.stop()
    balancer.start()
    assert balancer.everything_shown() == before
    for file in balancer.certificates.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    said("a fresh start from disk shows the same")


with Balancer("tls") as used:
    names_pick_certificates(used)
    answers_over_https(used)
    old_versions_are_refused(used)
    http_is_redirected(used)
    certificates_change_under_connections(used)
    a_long_chain_is_taken(used)
    what_is_there_is_told(used)
    a_fresh_start_shows_the_same(used)
