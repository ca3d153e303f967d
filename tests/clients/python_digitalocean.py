#!/usr/bin/python3
"""The job of Debian's python3-digitalocean: a real client of the real API, here against the API at PAASCTL_TEST_URL.

Each answer is looked at through the library's own objects. The first surprise ends the script.
"""
import os
import sys
import time

os.environ["DIGITALOCEAN_END_POINT"] = os.environ["PAASCTL_TEST_URL"] + "/v2/"
os.environ["DIGITALOCEAN_ACCESS_TOKEN"] = TOKEN = os.environ["PAASCTL_TEST_TOKEN"]

import digitalocean  # noqa: E402  It reads the environment when its objects are made.

KEY = os.environ["PAASCTL_TEST_KEY"]
# Metadata-only clouds boot at once, machines do not.
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.05
manager = digitalocean.Manager(token=TOKEN)


def check(what, condition):
    if not condition:
        sys.exit(f"python3-digitalocean: {what}")


def refused(what, message, call):
    """The call ends with an error of the API's that says this."""
    try:
        call()
    except digitalocean.baseapi.Error as error:
        check(f"{what}: {type(error).__name__}: {error}", message in str(error))
        return
    check(f"{what} is not refused", False)


def eventually(what, look):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(PAUSE_SECONDS)
    sys.exit(f"python3-digitalocean: {what}: not within {PATIENCE_SECONDS} s")


def completed(what, answer):
    action = digitalocean.Action.get_object(TOKEN, answer["action"]["id"])
    check(f"{what} is completed", action.wait(update_every_seconds=PAUSE_SECONDS))
    return action


def idle(droplet):
    eventually(f"{droplet.name} is unlocked", lambda: not droplet.load().locked)
    return droplet


def account():
    check("the account is active", manager.get_account().status == "active")
    refused("a wrong token", "Unable to authenticate you", digitalocean.Manager(token="wrong").get_account)
    regions = {region.slug: region for region in manager.get_all_regions()}
    check("nyc3 is available", regions["nyc3"].available)
    sizes = {size.slug: size for size in manager.get_all_sizes()}
    check("sizes have memory, processors and a price", sizes["s-1vcpu-1gb"].memory == 1024 and
          sizes["s-1vcpu-1gb"].vcpus == 1 and sizes["s-1vcpu-1gb"].price_monthly > 0)
    check("the droplet is offered as an image", "debian-12-x64" in [i.slug for i in manager.get_distro_images()])
    check("an image is found by its slug", manager.get_image("debian-12-x64").distribution == "Debian")
    check("nothing is the account's own", manager.get_my_images() == [])


def key():
    made = digitalocean.SSHKey(token=TOKEN, name="client", public_key=KEY)
    made.create()
    refused("the same key again", "already in use", digitalocean.SSHKey(token=TOKEN, name="x", public_key=KEY).create)
    check("a key is found by its content", digitalocean.SSHKey(token=TOKEN).load_by_pub_key(KEY).id == made.id)
    made.name = "renamed"
    made.edit()
    check("its name is another", manager.get_ssh_key(made.id).name == "renamed")
    check("it is listed", [k.id for k in manager.get_all_sshkeys()] == [made.id])
    return made


def network():
    vpc = digitalocean.VPC(token=TOKEN, name="client-net", region="nyc3", description="", ip_range="10.71.0.0/24")
    vpc.create()
    vpc.rename("client-network")
    check("the network has its new name", digitalocean.VPC.get_object(TOKEN, vpc.id).name == "client-network")
    return vpc


def droplets(made_key, vpc):
    one = digitalocean.Droplet(token=TOKEN, name="client-1", region="nyc3", image="debian-12-x64", size_slug="s-1vcpu-1gb",
                               ssh_keys=[made_key], tags=["client"], vpc_uuid=vpc.id, user_data="#cloud-config\n")
    one.create()
    check("a new droplet is new", one.load().status in ("new", "active"))
    action = digitalocean.Action.get_object(TOKEN, one.action_ids[0])
    check("its creation is completed", action.wait(update_every_seconds=PAUSE_SECONDS) and action.type == "create")
    idle(one)
    check("it is active", one.status == "active")
    eventually("its addresses are shown", lambda: one.load().ip_address and one.private_ip_address)
    eventually("its tags are shown", lambda: one.load().tags == ["client"])
    check("its private address is the network's", one.private_ip_address.startswith("10.71.0."))
    many = digitalocean.Droplet.create_multiple(token=TOKEN, names=["client-2", "client-3"], region="nyc3",
                                                image="debian-12-x64", size_slug="s-1vcpu-1gb", tags=["client"],
                                                vpc_uuid=vpc.id)
    check("two are made by one request", [d.name for d in many] == ["client-2", "client-3"])
    eventually("all are listed by their tag", lambda: len(manager.get_all_droplets(tag_name="client")) == 3)
    for droplet in many:
        idle(droplet)
    check("pages are walked", len(manager.get_all_droplets(params={"per_page": 1})) == 3)
    refused("a size that is none", "size", digitalocean.Droplet(token=TOKEN, name="x", region="nyc3", image="debian-12-x64",
                                                                size_slug="s-none", ssh_keys=[], vpc_uuid=vpc.id).create)
    refused("a droplet that is none", "", lambda: manager.get_droplet(4711))
    return one, many


def actions(droplet):
    completed("reboot", droplet.reboot())
    completed("power_off", droplet.power_off())
    check("it is off", droplet.load().status == "off")
    completed("resize", droplet.resize("s-2vcpu-2gb", disk=False))
    completed("rename", droplet.rename("client-renamed"))
    completed("power_on", droplet.power_on())
    droplet.load()
    check("it has its new name and size", (droplet.name, droplet.size_slug) == ("client-renamed", "s-2vcpu-2gb"))
    check("its actions are listed", {"create", "reboot", "rename"} <= {a.type for a in droplet.get_actions()})


def snapshot(droplet, vpc):
    action = completed("snapshot", droplet.take_snapshot("client-image"))
    check("the action says what it was", action.type == "snapshot")
    made, = manager.get_droplet_snapshots()
    check("the snapshot has its name", made.name == "client-image" and made.resource_id == str(droplet.id))
    image, = manager.get_my_images()
    check("it is an image of the account", str(image.id) == made.id and not image.public)
    image.rename("client-image-2")
    copy = digitalocean.Droplet(token=TOKEN, name="client-copy", region="nyc3", image=image.id, size_slug="s-2vcpu-2gb",
                                ssh_keys=[], vpc_uuid=vpc.id)
    copy.create()
    idle(copy)
    check("droplets are made of it", str(copy.image["id"]) == made.id)
    copy.destroy()
    manager.get_snapshot(made.id).destroy()
    check("the snapshot is gone", manager.get_droplet_snapshots() == [])


def tags(droplet):
    tag = digitalocean.Tag(token=TOKEN, name="extra")
    tag.create()
    tag.add_droplets([str(droplet.id)])
    eventually("the tag counts its droplet", lambda: digitalocean.Tag.get_object(TOKEN, "extra").resources["droplets"]["count"] == 1)
    tag.remove_droplets([str(droplet.id)])
    tag.delete()
    check("the tag is gone", "extra" not in [t.name for t in manager.get_all_tags()])


def volume(droplet):
    made = digitalocean.Volume(token=TOKEN, name="client-data", region="nyc3", size_gigabytes=1, description="",
                               filesystem_type="ext4", filesystem_label="data", tags=[])
    made.create()
    refused("its name again", "already", digitalocean.Volume(token=TOKEN, name="client-data", region="nyc3", size_gigabytes=1,
                                                            filesystem_type="ext4", filesystem_label="", tags=[]).create)
    completed("attach", made.attach(droplet.id, "nyc3"))
    check("it is attached", manager.get_volume(made.id).droplet_ids == [droplet.id])
    completed("resize of the volume", made.resize(2, "nyc3"))
    completed("detach", made.detach(droplet.id, "nyc3"))
    check("it is larger and free", [(v.size_gigabytes, v.droplet_ids) for v in manager.get_all_volumes("nyc3")] == [(2, [])])
    made.destroy()
    check("no volume is left", manager.get_all_volumes() == [])


def firewall(droplet, other):
    made = digitalocean.Firewall(
        token=TOKEN, name="client-firewall", droplet_ids=[droplet.id], tags=["client"],
        inbound_rules=[digitalocean.InboundRule(protocol="tcp", ports="22", sources=digitalocean.Sources(
            addresses=["0.0.0.0/0", "::/0"], droplet_ids=[other.id], tags=["client"]))],
        outbound_rules=[digitalocean.OutboundRule(protocol="tcp", ports="1-65535", destinations=digitalocean.Destinations(
            addresses=["0.0.0.0/0"]))])
    made.create()
    made.add_droplets([other.id])
    eventually("the firewall is in force", lambda: made.load().status == "succeeded" and made.pending_changes == [])
    check("it covers both", sorted(made.droplet_ids) == sorted([droplet.id, other.id]))
    made.remove_droplets([other.id])
    made.remove_tags(["client"])
    made.load()
    check("it covers one", (made.droplet_ids, made.tags) == ([droplet.id], []))
    check("it is listed", [f.id for f in manager.get_all_firewalls()] == [made.id])
    made.destroy()
    check("no firewall is left", manager.get_all_firewalls() == [])


def reserved_address(one, other):
    address = digitalocean.FloatingIP(token=TOKEN, droplet_id=one.id)
    address.create()
    eventually("the address is assigned", lambda: not address.load().locked and address.droplet["id"] == one.id)
    idle(other)
    completed("assign", address.assign(other.id))
    check("it moved", manager.get_floating_ip(address.ip).droplet["id"] == other.id)
    completed("unassign", address.unassign())
    check("it is free", [a.droplet for a in manager.get_all_floating_ips()] == [None])
    address.destroy()
    check("no address is left", manager.get_all_floating_ips() == [])


def domain():
    made = digitalocean.Domain(token=TOKEN, name="client.example", ip_address="192.0.2.7")
    made.create()
    record = digitalocean.Record(domain_name="client.example", token=TOKEN, type="A", name="www", data="192.0.2.8", ttl=60)
    record.create()
    record.data = "192.0.2.9"
    record.save()
    found = {(r.type, r.name): r.data for r in made.get_records()}
    check("the domain has its records", found[("A", "@")] == "192.0.2.7" and found[("A", "www")] == "192.0.2.9" and
          ("NS", "@") in found)
    record.destroy()
    check("the record is gone", ("A", "www") not in {(r.type, r.name) for r in made.get_records()})
    made.destroy()
    check("no domain is left", manager.get_all_domains() == [])


def project(droplet):
    made = digitalocean.Project(token=TOKEN, name="client", description="of a client", purpose="Web Application",
                                environment="Staging")
    made.create_project()
    made.assign_resource([f"do:droplet:{droplet.id}"])
    check("the project has the droplet", made.get_all_resources() == [f"do:droplet:{droplet.id}"])
    refused("a project that has something", "", made.delete_project)
    manager.get_default_project().assign_resource([f"do:droplet:{droplet.id}"])
    made.delete_project()
    check("only the default one is left", [p.is_default for p in manager.get_all_projects()] == [True])


def main():
    account()
    made_key = key()
    vpc = network()
    one, (two, three) = droplets(made_key, vpc)
    actions(one)
    snapshot(one, vpc)
    tags(one)
    volume(one)
    firewall(one, two)
    reserved_address(one, two)
    domain()
    project(one)
    for droplet in (one, two, three):
        idle(droplet).destroy()
    eventually("no droplet is left", lambda: manager.get_all_droplets() == [])
    manager.get_ssh_key(made_key.id).destroy()
    check("no key is left", manager.get_all_sshkeys() == [])
    eventually("the emptied network is deleted", lambda: deleted(vpc))
    print("python3-digitalocean is content")


def deleted(vpc):
    """A network holds on until the last machine in it is gone."""
    try:
        return vpc.destroy()
    except digitalocean.baseapi.DataReadError:
        return False


main()
