#!/usr/bin/env python3
"""Certificates by ACME: certbot asks pebble, the authority's questions go through a real HAProxy on the loopback, and
what is issued and renewed is shown without a reload. Exit status 77 where a program is missing."""

import copy
import json
import os
import subprocess

from tls_support import Balancer, KeepAlive, eventually, free_port, make_certificate, need, said

need("haproxy", "openssl", "curl", "socat", "flock", "certbot", "pebble", "pebble-challtestsrv")


class Pebble:
    """An authority for tests, whose names all lead to the loopback."""

    def __init__(self, balancer):
        folder = balancer.folder
        self.port, dns_port, self.dns_control = free_port(), free_port(), free_port()
        pem = make_certificate(folder, "localhost")
        self.trusted = folder / "pebble.pem"
        (folder / "pebble.key").write_text("-----BEGIN PRIVATE KEY-----" + pem.split("-----BEGIN PRIVATE KEY-----")[1])
        self.trusted.write_text(pem.split("-----BEGIN PRIVATE KEY-----")[0])
        settings = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{free_port()}",
                    "certificate": str(self.trusted), "privateKey": str(folder / "pebble.key"),
                    "httpPort": balancer.http_port, "tlsPort": free_port(), "ocspResponderURL": "",
                    "externalAccountBindingRequired": False}
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        names = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{dns_port}",
                 "-management", f"127.0.0.1:{self.dns_control}", "-http01", "", "-https01", "", "-tlsalpn01", ""]
        authority = ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{dns_port}"]
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        self.log = (folder / "pebble.log").open("w", encoding="utf-8")
        self.processes = [subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
                          for command in (names, authority)]
        self.directory = f"https://localhost:{self.port}/dir"
        eventually(self.answers, "pebble answers")

    def answers(self):
        asked = subprocess.run(["curl", "-sf", "--cacert", self.trusted, self.directory], capture_output=True, check=False)
        return asked.returncode == 0

    def lead_away(self, host):
        """Lets the name lead to where nothing listens."""
        subprocess.run(["curl", "-sf", "-d", json.dumps({"host": host, "addresses": ["127.0.0.9"]}),
                        f"http://127.0.0.1:{self.dns_control}/add-a"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes:
            process.terminate()
            process.wait()
        self.log.close()


def environment_of(balancer, pebble):
    """certbot with folders of its own, which trusts pebble."""
    settings = balancer.folder / "settings/letsencrypt"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "cli.ini").write_text("".join(
        f"{name} = {balancer.folder / folder}\n"
        for name, folder in (("config-dir", "letsencrypt"), ("work-dir", "work"), ("logs-dir", "logs"))))
    return {**os.environ, "XDG_CONFIG_HOME": str(balancer.folder / "settings"), "REQUESTS_CA_BUNDLE": str(pebble.trusted)}


def issue(balancer, pebble, *hosts):
    return subprocess.run([balancer.program, "issue", "ops@example.com", pebble.directory, *hosts],
                          env=environment_of(balancer, pebble), capture_output=True, text=True, check=False)


def file_of(balancer, host):
    return (balancer.certificates / f"host.{host}.pem").read_text()


def first_certificates(balancer, pebble):
    placeholder = make_certificate(balancer.folder, "nobody")
    balancer.put("default", placeholder)
    balancer.start()
    assert balancer.shows("a.test", placeholder)
    issued = issue(balancer, pebble, "a.test", "b.test")
    assert issued.returncode == 0, issued.stderr
    for host in ("a.test", "b.test"):
        assert balancer.shows(host, file_of(balancer, host)), host
    assert not balancer.shows("a.test", placeholder)
    said("certificates are issued through HAProxy")


def nothing_is_asked_twice(balancer, pebble):
    before = file_of(balancer, "a.test")
    issued = issue(balancer, pebble, "a.test", "b.test")
    assert issued.returncode == 0, issued.stderr
    assert file_of(balancer, "a.test") == before
    # What was lost on the way comes back without asking.
    (balancer.certificates / "host.a.test.pem").unlink()
    assert issue(balancer, pebble, "a.test").returncode == 0
    assert file_of(balancer, "a.test") == before and balancer.shows("a.test", before)
    said("what is there is not asked for again")


def renewal_is_not_noticed(balancer, pebble):
    worker, before = balancer.worker(), file_of(balancer, "a.test")
    kept = KeepAlive(balancer, "a.test")
    kept.goes_on()
    # As the package's timer does it, but now.
    renewed = subprocess.run(["certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew"],
                             env=environment_of(balancer, pebble), capture_output=True, text=True, check=False)
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    assert file_of(balancer, "a.test") != before
    assert balancer.shows("a.test", file_of(balancer, "a.test"))
    assert balancer.shows("b.test", file_of(balancer, "b.test"))
    kept.goes_on()
    said(f"renewed under a connection with {kept.stop()} answers")
    assert balancer.worker() == worker, "HAProxy was reloaded"


def refusals_are_told(balancer, pebble):
    pebble.lead_away("away.test")
    refused = issue(balancer, pebble, "away.test", "c.test")
    assert refused.returncode != 0
    assert "away.test:" in refused.stderr and "127.0.0.9" in refused.stderr, refused.stderr
    assert "c.test:" not in refused.stderr, refused.stderr
    assert balancer.shows("c.test", file_of(balancer, "c.test"))
    assert not (balancer.certificates / "host.away.test.pem").exists()
    said("a refusal is told, and the other host has its certificate:\n" + refused.stderr)


def hosts_go(balancer):
    renewal = balancer.folder / "letsencrypt/renewal/b.test.conf"
    assert renewal.exists()
    subprocess.run([balancer.program, "remove", "host.b.test"], check=True,
                   env={**os.environ, "XDG_CONFIG_HOME": str(balancer.folder / "settings")})
    assert not renewal.exists() and not (balancer.certificates / "host.b.test.pem").exists()
    said("a host that goes is not renewed any more")


def another_takes_them_over(balancer, pebble):
    """Before its HAProxy runs; its certbot goes on with the account, and asks nobody until it is time to renew."""
    given = subprocess.run([balancer.program, "give", "a.test", "c.test", "never.test"], capture_output=True, check=True)
    with Balancer("tls") as other:
        other.put("default", make_certificate(other.folder, "nobody"))
        for _ in range(2):
            subprocess.run([other.program, "take"], input=given.stdout, check=True)
        other.start()
        for host in ("a.test", "c.test"):
            assert file_of(other, host) == file_of(balancer, host)
            assert other.shows(host, file_of(other, host)), host
        nobody = copy.copy(pebble)
        nobody.trusted = other.folder / "nobody.pem"
        nobody.trusted.write_text(make_certificate(other.folder, "nobody"))
        assert issue(other, nobody, "a.test").returncode == 0
        assert not (other.folder / "letsencrypt/renewal/b.test.conf").exists()
        # It may have renewed one by then.
        kept = make_certificate(other.folder, "a.test")
        certificate, key = kept.split("-----BEGIN PRIVATE KEY-----")
        (other.folder / "letsencrypt/live/a.test/fullchain.pem").write_text(certificate)
        (other.folder / "letsencrypt/live/a.test/privkey.pem").write_text("-----BEGIN PRIVATE KEY-----" + key)
        subprocess.run([other.program, "take"], input=given.stdout, check=True)
        assert other.shows("a.test", kept)
    nothing = subprocess.run([balancer.program, "give", "never.test"], capture_output=True, check=True)
    assert nothing.stdout == b""
    said("another load balancer takes certificates over")


def a_fresh_start_shows_the_same(balancer):
    before = balancer.everything_shown()
    balancer.stop()
    balancer.start()
    assert balancer.everything_shown() == before


with Balancer("tls") as used, Pebble(used) as authority:
    first_certificates(used, authority)
    nothing_is_asked_twice(used, authority)
    renewal_is_not_noticed(used, authority)
    refusals_are_told(used, authority)
    hosts_go(used)
    another_takes_them_over(used, authority)
    a_fresh_start_shows_the_same(used)
