# shellcheck shell=bash
# A stack shop, and a lockfile as far as completion looks into it.
write_stack() {
  cat >paas.yaml <<'END'
stack: shop
cloud: local
region: nyc3
ssh: {from: [0.0.0.0/0]}
images:
  site: {pull: "registry.example.com/site:1"}
  postgres: {pull: "postgres:16"}
  redis: {pull: "redis:7"}
services:
  web: {type: web, image: site, port: 8000, scale: {min: 1, max: 4}, links: [db, cache]}
  db: {type: db, image: postgres, port: 5432, scheme: postgresql}
  cache: {type: cache, image: redis, port: 6379, scheme: redis}
lb: {listen: [80]}
END
}

write_servers() {
  echo '{"version": 1, "lineage": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "servers": {"shop-web-1": {}, "shop-web-2": {}, "shop-db-1": {}}}' >paas.lock
}

# write_lockfile URL ID: a lockfile of the cloud at URL with one server, droplet ID. It has no secrets; the key that
# would open them is in the environment.
write_lockfile() {
  cat >paas.lock <<END
{"version": 1, "lineage": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "serial": 1, "paasctl_version": "0.1.0",
 "cloud_url": "$1", "vpc_range": "", "firewalls": {}, "services": {}, "volumes": {}, "temporary": {},
 "servers": {"shop-web-1": {"service": "web", "number": 1, "droplet": {"name": "shop-web-1", "id": "$2"},
  "public_address": "", "private_address": "", "host_key": "", "first_host_key": "", "size": "s-1vcpu-1gb",
  "region": "nyc3", "image": "debian-12-x64", "prepared": false, "release": 0, "slot": 0, "leaving": false,
  "created": "2026-01-31T08:15:00Z"}}}
END
  chmod 600 paas.lock
  PAASCTL_KEY=$(head -c 32 /dev/zero | base64)
  export PAASCTL_KEY
}
