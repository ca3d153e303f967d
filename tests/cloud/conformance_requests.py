#!/usr/bin/python3
"""Sends every operation that the local cloud serves to the API at PAASCTL_TEST_URL.

What the answers look like is judged elsewhere; here only their status is checked.
"""
import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ["PAASCTL_TEST_URL"]
TOKEN = os.environ["PAASCTL_TEST_TOKEN"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl test"
failures = []


def exchange(method, path, body=None, token=TOKEN):
    data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
    request = urllib.request.Request(URL + path, data=data, method=method)
    request.add_header("Authorization", "Bearer " + token)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def send(method, path, body=None, expect=200, token=TOKEN):
    status, raw = exchange(method, path, body, token)
    if status != expect:
        failures.append(f"{method} {path}: {status} instead of {expect}: {raw[:200]}")
    return json.loads(raw) if raw else None


def get(path, expect=200):
    return send("GET", path, None, expect)


def post(path, body, expect):
    return send("POST", path, body, expect)


def idle(droplet):
    """Waits until the droplet has no event."""
    for _ in range(500):
        found = get(f"/v2/droplets/{droplet}")["droplet"]
        if not found["locked"]:
            return found
        time.sleep(0.01)
    failures.append(f"droplet {droplet} stays locked")


def completed(action):
    for _ in range(500):
        found = get(f"/v2/actions/{action['id']}")["action"]
        if found["status"] != "in-progress":
            return found
        time.sleep(0.01)
    failures.append(f"action {action['id']} does not end")


def account():
    get("/v2/account")
    send("GET", "/v2/account", token="wrong", expect=401)
    get("/v2/regions?per_page=200")
    get("/v2/sizes?per_page=200")
    get("/v2/sizes?per_page=5&page=2")
    key = post("/v2/account/keys", {"name": "test", "public_key": KEY}, 201)["ssh_key"]
    post("/v2/account/keys", {"name": "test", "public_key": KEY}, 422)
    get("/v2/account/keys")
    get(f"/v2/account/keys/{key['id']}")
    get(f"/v2/account/keys/{key['fingerprint']}")
    send("PUT", f"/v2/account/keys/{key['id']}", {"name": "other"})
    get("/v2/account/keys/4711", 404)
    return key


def networks():
    vpc = post("/v2/vpcs", {"name": "net", "region": "nyc3", "ip_range": "10.10.0.0/20"}, 201)["vpc"]
    post("/v2/vpcs", {"name": "two", "region": "nyc3", "ip_range": "10.10.8.0/21"}, 422)
    get("/v2/vpcs")
    get(f"/v2/vpcs/{vpc['id']}")
    send("PATCH", f"/v2/vpcs/{vpc['id']}", {"description": "patched"})
    send("PUT", f"/v2/vpcs/{vpc['id']}", {"name": "net-2", "description": "put"})
    return vpc


def droplets(key, vpc):
    get("/v2/images")
    get("/v2/images?type=distribution&per_page=200")
    get("/v2/images?private=true")
    get("/v2/images/debian-12-x64")
    get("/v2/images/nothing", 404)
    common = {"region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64"}
    one = post("/v2/droplets", {"name": "web-1", "tags": ["web", "env:test"], "ssh_keys": [key["id"], key["fingerprint"]],
                                "user_data": "#cloud-config\n", "vpc_uuid": vpc["id"], "monitoring": True, **common}, 202)["droplet"]
    many = post("/v2/droplets", {"names": [f"d-{n}" for n in range(10)], "tags": ["many"], **common}, 202)["droplets"]
    for body in ({"name": "x"}, {"name": "under_score", **common}, {"name": "x", **common, "size": "huge"}):
        post("/v2/droplets", body, 422)
    post("/v2/droplets", b"{", 400)
    post("/v2/tags", b"{", 400)
    for droplet in [one, *many]:
        idle(droplet["id"])
    for query in ("", "?per_page=3&page=2", "?per_page=200", "?tag_name=many", "?name=web-1", "?type=droplets"):
        get("/v2/droplets" + query)
    path = f"/v2/droplets/{one['id']}"
    get(path)
    get("/v2/droplets/4711", 404)
    get(path + "/backups")
    for kind in ("reboot", "power_cycle", "shutdown", "power_on", "power_off"):
        action = post(path + "/actions", {"type": kind}, 201)["action"]
        completed(action)
        get(f"{path}/actions/{action['id']}")
    get(path)
    post(path + "/actions", {"type": "power_off"}, 422)
    completed(post(path + "/actions", {"type": "resize", "size": "s-2vcpu-4gb"}, 201)["action"])
    completed(post(path + "/actions", {"type": "power_on"}, 201)["action"])
    completed(post(path + "/actions", {"type": "rename", "name": "web-2"}, 201)["action"])
    completed(post(path + "/actions", {"type": "rebuild", "image": "debian-12-x64"}, 201)["action"])
    completed(post(path + "/actions", {"type": "snapshot", "name": "golden"}, 201)["action"])
    get(path + "/actions")
    get("/v2/actions")
    get("/v2/actions/4711", 404)
    # POST /v2/droplets/actions is left out: the document's oneOf has two branches that fit every such request.
    return one, many


def snapshots(droplet):
    get(f"/v2/droplets/{droplet['id']}/snapshots")
    get("/v2/snapshots")
    get("/v2/snapshots?resource_type=volume")
    snapshot = get("/v2/snapshots?resource_type=droplet")["snapshots"][0]
    get(f"/v2/snapshots/{snapshot['id']}")
    get(f"/v2/images/{snapshot['id']}")
    send("PUT", f"/v2/images/{snapshot['id']}", {"name": "renamed", "description": "a text"})
    get(f"/v2/images/{snapshot['id']}/actions")
    copy = post("/v2/droplets", {"name": "copy", "region": "nyc3", "size": "s-4vcpu-8gb", "image": int(snapshot["id"])}, 202)["droplet"]
    idle(copy["id"])
    send("DELETE", f"/v2/snapshots/{snapshot['id']}", expect=204)
    get(f"/v2/droplets/{copy['id']}")
    send("DELETE", f"/v2/droplets/{copy['id']}", expect=204)
    get("/v2/snapshots/4711", 404)


def tags(droplet, volume):
    post("/v2/tags", {"name": "extra"}, 201)
    post("/v2/tags", {"name": "not valid"}, 422)
    resources = {"resources": [{"resource_id": str(droplet["id"]), "resource_type": "droplet"},
                               {"resource_id": volume["id"], "resource_type": "volume"}]}
    post("/v2/tags/extra/resources", resources, 204)
    get("/v2/tags")
    get("/v2/tags/extra")
    get("/v2/tags/nothing", 404)
    send("DELETE", "/v2/tags/extra/resources", resources, 204)
    send("DELETE", "/v2/tags/extra", expect=204)


def volumes(droplet):
    body = {"name": "data", "region": "nyc3", "size_gigabytes": 10, "filesystem_type": "ext4", "filesystem_label": "data", "tags": ["web"]}
    volume = post("/v2/volumes", body, 201)["volume"]
    post("/v2/volumes", body, 409)
    post("/v2/volumes", {**body, "name": "Upper"}, 422)
    path = f"/v2/volumes/{volume['id']}"
    get("/v2/volumes")
    get("/v2/volumes?name=data&region=nyc3")
    get(path)
    get(path + "/snapshots")
    post(path + "/snapshots", {"name": "not-offered"}, 422)
    action = post(path + "/actions", {"type": "attach", "droplet_id": droplet["id"], "region": "nyc3"}, 202)["action"]
    completed(action)
    get(f"{path}/actions/{action['id']}")
    get(f"/v2/droplets/{droplet['id']}")
    post(path + "/actions", {"type": "attach", "droplet_id": droplet["id"]}, 422)
    send("DELETE", path, expect=409)
    completed(post(path + "/actions", {"type": "resize", "size_gigabytes": 20, "region": "nyc3"}, 202)["action"])
    get(path + "/actions")
    completed(post("/v2/volumes/actions", {"type": "detach", "droplet_id": droplet["id"], "volume_name": "data", "region": "nyc3"}, 202)["action"])
    get("/v2/volumes/snapshots/nothing", 404)
    return volume


def firewalls(droplet):
    rule = {"protocol": "tcp", "ports": "22", "sources": {"addresses": ["0.0.0.0/0", "::/0"]}}
    body = {"name": "web-fw", "tags": ["web"],
            "inbound_rules": [rule, {"protocol": "tcp", "ports": "8000-8001", "sources": {"tags": ["many"], "droplet_ids": [droplet["id"]]}}],
            "outbound_rules": [{"protocol": "icmp", "ports": "0", "destinations": {"addresses": ["0.0.0.0/0"]}}]}
    firewall = post("/v2/firewalls", body, 202)["firewall"]
    post("/v2/firewalls", body, 409)
    post("/v2/firewalls", {**body, "name": "other", "tags": ["nothing"]}, 422)
    path = f"/v2/firewalls/{firewall['id']}"
    get("/v2/firewalls")
    get(path)
    get(f"/v2/droplets/{droplet['id']}/firewalls")
    part = {"droplet_ids": [droplet["id"]]}
    post(path + "/droplets", part, 204)
    post(path + "/tags", {"tags": ["many"]}, 204)
    post(path + "/rules", {"inbound_rules": [{**rule, "ports": "443"}]}, 204)
    get(path)
    send("DELETE", path + "/rules", {"inbound_rules": [{**rule, "ports": "443"}]}, 204)
    send("DELETE", path + "/tags", {"tags": ["many"]}, 204)
    send("DELETE", path + "/droplets", part, 204)
    send("PUT", path, {**body, "name": "web-fw-2"})
    get("/v2/firewalls/nothing", 404)
    return firewall


def reserved_ips(one, two):
    made = post("/v2/reserved_ips", {"droplet_id": one["id"]}, 202)
    address = made["reserved_ip"]["ip"]
    completed(made["links"]["actions"][0])
    path = f"/v2/reserved_ips/{address}"
    get("/v2/reserved_ips")
    get(path)
    get(f"/v2/droplets/{one['id']}")
    action = post(path + "/actions", {"type": "assign", "droplet_id": two["id"]}, 201)["action"]
    completed(action)
    get(f"{path}/actions/{action['id']}")
    get(path + "/actions")
    completed(post(path + "/actions", {"type": "unassign"}, 201)["action"])
    post(path + "/actions", {"type": "unassign"}, 422)
    free = post("/v2/reserved_ips", {"region": "fra1"}, 202)["reserved_ip"]["ip"]
    for each in (address, free):
        send("DELETE", f"/v2/reserved_ips/{each}", expect=204)
    get(path, 404)


def domains():
    post("/v2/domains", {"name": "example.com", "ip_address": "192.0.2.7"}, 201)
    post("/v2/domains", {"name": "example.com"}, 422)
    get("/v2/domains")
    get("/v2/domains/example.com")
    path = "/v2/domains/example.com/records"
    record = post(path, {"type": "A", "name": "www", "data": "192.0.2.8", "ttl": 60}, 201)["domain_record"]
    post(path, {"type": "CNAME", "name": "blog", "data": "example.net"}, 422)
    mail = {"type": "MX", "name": "@", "data": "mail.example.com.", "priority": 10}
    post(path, mail, 201)
    get(path)
    get(path + "?type=MX")
    path = f"{path}/{record['id']}"
    get(path)
    send("PATCH", path, {"type": "A", "data": "192.0.2.9"})
    send("PUT", path, {"type": "A", "name": "web", "data": "192.0.2.9"})
    send("DELETE", path, expect=204)
    get(path, 404)
    send("DELETE", "/v2/domains/example.com", expect=204)
    get("/v2/domains/example.com", 404)


def projects(droplet):
    get("/v2/projects/default")
    get("/v2/projects/default/resources")
    body = {"name": "shop", "description": "", "purpose": "Web Application", "environment": "Staging"}
    project = post("/v2/projects", body, 201)["project"]
    post("/v2/projects", body, 409)
    get("/v2/projects")
    path = f"/v2/projects/{project['id']}"
    get(path)
    send("PATCH", path, {"name": "shop-2"})
    send("PUT", path, {**body, "is_default": False})
    urn = f"do:droplet:{droplet['id']}"
    post(path + "/resources", {"resources": [urn]}, 200)
    get(path + "/resources")
    send("DELETE", path, expect=412)
    post("/v2/projects/default/resources", {"resources": [urn]}, 200)
    send("DELETE", path, expect=204)
    get(path, 404)


def registry():
    get("/v2/registry", 412)
    post("/v2/registry", {"name": "shop", "subscription_tier_slug": "basic", "region": "nyc3"}, 201)
    get("/v2/registry")
    get("/v2/registry/docker-credentials?expiry_seconds=3600&read_write=false")
    get("/v2/registries")
    get("/v2/registries/shop")
    get("/v2/registries/shop/docker-credentials")
    send("DELETE", "/v2/registry", expect=204)


def take_down(key, vpc, one, firewall, volume):
    get(f"/v2/vpcs/{vpc['id']}/members")
    send("DELETE", f"/v2/vpcs/{vpc['id']}", expect=403)
    send("DELETE", f"/v2/firewalls/{firewall['id']}", expect=204)
    send("DELETE", f"/v2/droplets/{one['id']}", expect=204)
    send("DELETE", "/v2/droplets?tag_name=many", expect=204)
    send("DELETE", f"/v2/volumes/{volume['id']}", expect=204)
    post("/v2/volumes", {"name": "named", "region": "nyc3", "size_gigabytes": 1}, 201)
    send("DELETE", "/v2/volumes?name=named&region=nyc3", expect=204)
    for _ in range(500):
        if not get(f"/v2/vpcs/{vpc['id']}/members")["members"]:
            break
        time.sleep(0.01)
    # A machine that is going is no member any more, but holds on to the network until it is gone.
    for _ in range(3000):
        status, _answer = exchange("DELETE", f"/v2/vpcs/{vpc['id']}")
        if status != 403:
            break
        time.sleep(0.01)
    if status != 204:
        failures.append(f"the emptied VPC cannot be deleted: {status}")
    send("DELETE", f"/v2/account/keys/{key['id']}", expect=204)


def main():
    key = account()
    vpc = networks()
    one, many = droplets(key, vpc)
    volume = volumes(one)
    tags(one, volume)
    snapshots(one)
    firewall = firewalls(one)
    reserved_ips(one, many[0])
    domains()
    projects(one)
    registry()
    take_down(key, vpc, one, firewall, volume)
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


main()
