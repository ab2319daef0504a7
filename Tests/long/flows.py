#!/usr/bin/env python3
"""Writes a capture of many TCP connections that are open at once: Tests/long/flows.py [--flows N] [--answered] FILE

Each connection is opened, every second one carries an MCP request, and none ends. With --answered the server answers them.
Shows that memory stays bounded: record pcap FILE --output trace, with its peak RSS and the `limit.*` of the footer.
"""

import argparse
import struct

SYN, PSH, ACK = 2, 8, 16


class Capture:
    """A pcap file of Ethernet frames, a microsecond apart."""

    def __init__(self, file):
        self.file = file
        self.time = 1_700_000_000_000_000
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def write(self, source, destination, sequence, acknowledgement, flags, payload=b""):
        """Writes one segment; checksums are left to the hardware that isn't there."""
        tcp = struct.pack(
            ">HHIIBBHHH", source[1], destination[1], sequence, acknowledgement, 80, flags, 65535, 0, 0)
        length = 40 + len(payload)
        ip = struct.pack(">BBHHHBBH", 69, 0, length, 0, 0, 64, 6, 0) + source[0] + destination[0]
        frame = bytes(12) + b"\x08\x00" + ip + tcp + payload
        self.time += 1
        self.file.write(
            struct.pack("<IIII", self.time // 1_000_000, self.time % 1_000_000, len(frame), len(frame)))
        self.file.write(frame)


def connection(capture, number, is_answered):
    """Opens connection `number`; every second one asks something."""
    client = (bytes([10, 1 + (number >> 16), number >> 8 & 255, number & 255]), 40_000 + number % 20_000)
    server = (bytes([10, 0, 0, 1]), 8080)
    capture.write(client, server, 99, 0, SYN)
    capture.write(server, client, 499, 100, SYN | ACK)
    capture.write(client, server, 100, 500, ACK)
    if number % 2:
        return
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":%d}}}' % number
    head = b"POST /mcp HTTP/1.1\r\nHost: a:8080\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    capture.write(client, server, 100, 500, PSH | ACK, request)
    if is_answered:
        body = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        capture.write(server, client, 500, 100 + len(request), PSH | ACK, answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--flows", type=int, default=100_000, help="connections")
    parser.add_argument("--answered", action="store_true", help="the server answers")
    parser.add_argument("file", help="where to write")
    arguments = parser.parse_args()
    with open(arguments.file, "wb") as file:
        capture = Capture(file)
        for number in range(arguments.flows):
            connection(capture, number, arguments.answered)


if __name__ == "__main__":
    main()
