// The stack file of the design, which the tests parse, cut short and edit.
#pragma once

#include <string_view>

namespace paas::stack {

inline constexpr std::string_view design_example =
    R"(stack: zipkick
cloud: local                         # or digitalocean
region: nyc3
size: s-1vcpu-1gb
ssh: {from: [0.0.0.0/0]}             # who may reach port 22
images:
  web: {build: ./web}                # a build context; also dockerfile, target, args. Or {pull: "ghcr.io/acme/web:1.4"}
  postgres: {build: ./postgres}
  redis: {build: ./redis}
services:
  frontend:
    type: web
    image: web
    port: 8000                       # inside the container
    env: {MODE: frontend}
    health: {path: /healthz}
    scale: {min: 2, max: 10, target: {requests_per_second.per_instance: 150}, warm: 1}   # absent: one server
    links: [backend]                 # BACKEND_HOST BACKEND_PORT BACKEND_URL
  backend:
    type: web
    image: web
    port: 8000
    env: {MODE: backend}
    scale: {min: 2, max: 4}
    links:
      - db                           # DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME DB_URL
      - {to: cache, env: {REDIS_URL: "redis://:{password}@{host}:{port}/0"}}
  db:
    type: db
    image: postgres
    port: 5432
    scheme: postgresql
    volume: {size: 10GiB, mount: /var/lib/postgresql}
    credentials: {user: app, database: app, env: {POSTGRES_USER: "{user}", POSTGRES_PASSWORD: "{password}", POSTGRES_DB: "{database}"}, set: [/usr/local/bin/set-password]}
    allow: [203.0.113.7/32]          # addresses let in beside the links
  cache: {type: cache, image: redis, port: 6379, scheme: redis, credentials: {env: {REDIS_PASSWORD: "{password}"}, set: [/usr/local/bin/set-password]}}
lb:
  listen: [80]
  rules:                             # the first that matches wins; a path is passed on as it came
    - {host: api.example.com, to: backend}
    - {path: /api/, to: backend}
    - {to: frontend}
)";

}  // namespace paas::stack
