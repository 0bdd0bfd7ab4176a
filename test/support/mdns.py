"""Asks for Peershelf sessions by multicast DNS, with nothing but Python: another implementation.

mdns.py ask PORT      one question from a port of its own; prints the answer as JSON
mdns.py listen PORT   joins the group; prints each answer that is sent to everyone
"""
import json
import socket
import struct
import sys

GROUP, LOOPBACK = "224.0.0.251", "127.0.0.1"
SERVICE = ["_peershelf", "_tcp", "local"]


def encode_name(labels):
    return b"".join(bytes([len(one)]) + one.encode() for one in labels) + b"\0"


def read_name(packet, at):
    labels, end = [], None
    while packet[at] != 0:
        if packet[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack(">H", packet[at : at + 2])[0] & 0x3FFF
            continue
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), end or at + 1


def read_record(packet, at):
    name, at = read_name(packet, at)
    kind, cls, ttl, length = struct.unpack(">HHIH", packet[at : at + 10])
    start = at + 10
    data = packet[start : start + length]
    record = {"name": name, "ttl": ttl, "flush": bool(cls & 0x8000)}
    if kind == 12:
        record.update(type="PTR", data=read_name(packet, start)[0])
    elif kind == 33:
        record.update(type="SRV", port=struct.unpack(">H", data[4:6])[0])
        record.update(data=read_name(packet, start + 6)[0])
    elif kind == 16:
        texts, rest = [], data
        while rest:
            texts.append(rest[1 : 1 + rest[0]].decode())
            rest = rest[1 + rest[0] :]
        record.update(type="TXT", data=texts)
    elif kind == 1:
        record.update(type="A", data=socket.inet_ntoa(data))
    return record, start + length


def read_packet(packet):
    ident, flags, questions, answers = struct.unpack(">HHHH", packet[:8])
    at = 12
    for _ in range(questions):
        at = read_name(packet, at)[1] + 4
    records = []
    for _ in range(answers):
        record, at = read_record(packet, at)
        records.append(record)
    return {"id": ident, "answer": bool(flags & 0x8000), "records": records}


def ask(port):
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
    question = struct.pack(">HHHHHH", 4711, 0, 1, 0, 0, 0) + encode_name(SERVICE)
    asking.settimeout(1)
    for _ in range(5):
        asking.sendto(question + struct.pack(">HH", 12, 1), (GROUP, port))
        try:
            print(json.dumps(read_packet(asking.recv(9000))), flush=True)
            return
        except socket.timeout:
            pass
    sys.exit("no answer")


def listen(port):
    group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT") and sys.platform == "darwin":
        group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    group.bind(("", port))
    member = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    print("listening", flush=True)
    while True:
        packet = read_packet(group.recv(9000))
        if packet["answer"]:
            print(json.dumps(packet), flush=True)


{"ask": ask, "listen": listen}[sys.argv[1]](int(sys.argv[2]))
