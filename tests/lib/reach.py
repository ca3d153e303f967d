"""What gets through besides TCP; run on the machine whose view counts.

  reach.py ping ADDRESS          prints "answered" or "silent"
  reach.py hear ADDRESS PORT     says that it listens for UDP, then prints "heard" or "silent"
"""

import os
import socket
import struct
import sys
import time

PATIENCE_SECONDS = 3
HEARING_SECONDS = 6
ECHO_REQUEST, ECHO_REPLY = 8, 0


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(address):
    # ping itself is on no bare machine.
    mark = os.getpid() & 0xFFFF
    packet = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, mark, 1)
    packet = struct.pack("!BBHHH", ECHO_REQUEST, 0, checksum(packet), mark, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as line:
        try:
            line.sendto(packet, (address, 0))
        except PermissionError:
            return "silent"  # A rule of the machine's own dropped it.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            line.settimeout(left)
            try:
                answer, sender = line.recvfrom(1024)
            except socket.timeout:
                break
            header_bytes = (answer[0] & 0x0F) * 4
            kind, _, _, answered, _ = struct.unpack("!BBHHH", answer[header_bytes:header_bytes + 8])
            if sender[0] == address and kind == ECHO_REPLY and answered == mark:
                return "answered"
    return "silent"


def hear(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((address, port))
        line.settimeout(HEARING_SECONDS)
        print("listening", flush=True)
        try:
            line.recvfrom(1024)
        except socket.timeout:
            return "silent"
        return "heard"


if sys.argv[1] == "ping":
    print(ping(sys.argv[2]))
else:
    print(hear(sys.argv[2], int(sys.argv[3])))
