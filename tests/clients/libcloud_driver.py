#!/usr/bin/python3
"""The job of Debian's python3-libcloud, driver "digitalocean", against the API at PAASCTL_TEST_URL.

The driver knows one host, so its connection is told another. The first surprise ends the script.
"""
import os
import sys
import time
import urllib.parse

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

ENDPOINT = urllib.parse.urlsplit(os.environ["PAASCTL_TEST_URL"])
TOKEN = os.environ["PAASCTL_TEST_TOKEN"]
KEY = os.environ["PAASCTL_TEST_KEY"]
# Metadata-only clouds boot at once, machines do not.
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.05


def driver_with(token, per_page=200):
    made = get_driver(Provider.DIGITAL_OCEAN)(token)
    made.ex_per_page = per_page
    made.connection.host, made.connection.port, made.connection.secure = ENDPOINT.hostname, ENDPOINT.port, False
    made.connection.connect()
    return made


driver = driver_with(TOKEN)


def check(what, condition):
    if not condition:
        sys.exit(f"python3-libcloud: {what}")


def refused(what, kind, call):
    try:
        call()
    except kind:
        return
    check(f"{what} is not refused", False)


def eventually(what, look):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(PAUSE_SECONDS)
    sys.exit(f"python3-libcloud: {what}: not within {PATIENCE_SECONDS} s")


def node_named(name):
    return next((node for node in driver.list_nodes() if node.name == name), None)


def idle(name, state=NodeState.RUNNING):
    return eventually(f"{name} is {state} and unlocked", lambda: next(
        (node for node in driver.list_nodes()
         if node.name == name and node.state == state and not node.extra["locked"]), None))


def account():
    check("the account is active", driver.ex_account_info()["status"] == "active")
    refused("a wrong token", InvalidCredsError, lambda: driver_with("wrong").list_nodes())
    location = next(location for location in driver.list_locations() if location.id == "nyc3")
    size = next(size for size in driver.list_sizes(location) if size.name == "s-1vcpu-1gb")
    check("a size has memory and a price", size.ram == 1024 and size.price > 0)
    image = next(image for image in driver.list_images() if image.extra["slug"] == "debian-12-x64")
    check("an image is found by its number", driver.get_image(image.id).name == image.name)
    paged = driver_with(TOKEN, per_page=3)
    check("pages are walked", [s.name for s in paged.list_sizes()] == [s.name for s in driver.list_sizes()])
    return location, size, image


def nodes(location, size, image):
    key = driver.create_key_pair("libcloud", KEY)
    check("the key is found by its name", driver.get_key_pair("libcloud").fingerprint == key.fingerprint)
    driver.create_node("libcloud-1", size, image, location,
                       ex_create_attr={"ssh_keys": [key.fingerprint], "tags": ["libcloud"], "private_networking": True},
                       ex_user_data="#cloud-config\n")
    node = idle("libcloud-1")
    eventually("its addresses are shown", lambda: driver.ex_get_node_details(node.id).public_ips and
               driver.ex_get_node_details(node.id).private_ips)
    eventually("its tags are shown", lambda: driver.ex_get_node_details(node.id).extra["tags"] == ["libcloud"])
    refused("a size that is none", BaseHTTPError, lambda: driver.create_node(
        "x", type(size)("none", "none", 0, 0, 0, 0, driver), image, location))
    return key, idle("libcloud-1")


def power(node, size):
    check("reboot is accepted", driver.reboot_node(node))
    idle("libcloud-1")
    check("a hard reboot is accepted", driver.ex_hard_reboot(node))
    idle("libcloud-1")
    check("renaming is accepted", driver.ex_rename_node(node, "libcloud-2"))
    idle("libcloud-2")
    check("shutdown is accepted", driver.ex_shutdown_node(node))
    idle("libcloud-2", NodeState.STOPPED)
    larger = next(s for s in driver.list_sizes() if s.name == "s-2vcpu-2gb")
    check("resizing is accepted", driver.ex_resize_node(node, larger))
    node = idle("libcloud-2", NodeState.STOPPED)
    check("it is larger", node.extra["size_slug"] == "s-2vcpu-2gb")
    check("power is accepted", driver.ex_power_on_node(node))
    idle("libcloud-2")
    check("rebuilding is accepted", driver.ex_rebuild_node(node))
    types = {event["type"] for event in driver.ex_list_events()}
    check("all of it is told as events", {"create", "reboot", "power_cycle", "rename", "shutdown", "resize", "power_on",
                                          "rebuild"} <= types)
    return idle("libcloud-2")


def images(node):
    check("a snapshot is accepted", driver.create_image(node, "libcloud-image"))
    made = eventually("the snapshot is an image", lambda: next(
        (image for image in driver.list_images() if image.name == "libcloud-image"), None))
    idle("libcloud-2")
    check("it is no public one", not made.extra["public"])
    check("it is deleted", driver.delete_image(made))
    check("it is gone", "libcloud-image" not in [image.name for image in driver.list_images()])


def volumes(node, location):
    volume = driver.create_volume(1, "libcloud-data", location)
    refused("its name again", BaseHTTPError, lambda: driver.create_volume(1, "libcloud-data", location))
    check("attaching is accepted", driver.attach_volume(node, volume))
    volume = eventually("it is attached", lambda: next(
        (v for v in driver.list_volumes() if v.extra["droplet_ids"] == [int(node.id)]), None))
    idle("libcloud-2")
    check("it has no snapshots", driver.list_volume_snapshots(volume) == [])
    check("detaching is accepted", driver.detach_volume(volume))
    eventually("it is free", lambda: driver.list_volumes()[0].extra["droplet_ids"] == [])
    check("it is destroyed", driver.destroy_volume(volume))
    check("no volume is left", driver.list_volumes() == [])


def addresses(node, location):
    address = driver.ex_create_floating_ip(location)
    idle("libcloud-2")
    check("assigning is accepted", driver.ex_attach_floating_ip_to_node(node, address))
    eventually("it is assigned", lambda: driver.ex_get_floating_ip(address.ip_address).node_id == int(node.id))
    idle("libcloud-2")
    check("unassigning is accepted", driver.ex_detach_floating_ip_from_node(node, address))
    eventually("it is free", lambda: driver.ex_get_floating_ip(address.ip_address).node_id is None)
    check("it is deleted", driver.ex_delete_floating_ip(address))
    check("no address is left", driver.ex_list_floating_ips() == [])


def main():
    location, size, image = account()
    key, node = nodes(location, size, image)
    node = power(node, size)
    images(node)
    volumes(node, location)
    addresses(node, location)
    idle("libcloud-2")
    check("the node is destroyed", driver.destroy_node(node))
    eventually("it is gone", lambda: node_named("libcloud-2") is None)
    check("the key is deleted", driver.delete_key_pair(key))
    check("no key is left", driver.list_key_pairs() == [])
    print("python3-libcloud is content")


main()
