"""Asks again and again, on a new connection each time, until an answer has a text in it: first_answer.py ADDRESS TEXT.

Prints the seconds since the epoch at which that answer was there. Ends with status 1 after MINUTES of no such answer.
"""

import http.client
import sys
import time
import urllib.parse

PAUSE_SECONDS = 0.005
MINUTES = 5


def main():
    address = urllib.parse.urlsplit(sys.argv[1])
    wanted = sys.argv[2].encode()
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=5)
        try:
            connection.request("GET", address.path)
            if wanted in connection.getresponse().read():
                print(f"{time.time():.3f}")
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    sys.exit(f"no answer has {sys.argv[2]} in it after {MINUTES} minutes")


main()
