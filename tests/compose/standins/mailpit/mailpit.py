#!/usr/bin/env python3
"""Takes every mail over SMTP (RFC 5321, without TLS and sign-in) and lists it over HTTP."""

import asyncio
import json
import sys
import urllib.request
from email import message_from_bytes
from email.policy import default

messages: list[dict[str, object]] = []


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def answer(line: str) -> None:
        writer.write(line.encode() + b"\r\n")

    recipients: list[str] = []
    answer("220 mail")
    while line := await reader.readline():
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        match verb.upper():
            case "QUIT":
                answer("221 bye")
                break
            case "RCPT":
                recipients.append(rest.partition(":")[2].strip().strip("<>"))
                answer("250 ok")
            case "DATA":
                answer("354 end with a dot")
                keep(await body(reader), recipients)
                recipients = []
                answer("250 kept")
            case _:
                answer("250 ok")
    await writer.drain()
    writer.close()


async def body(reader: asyncio.StreamReader) -> bytes:
    lines = []
    while (line := await reader.readline()) not in {b".\r\n", b""}:
        lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
    return b"".join(lines)


def keep(raw: bytes, recipients: list[str]) -> None:
    mail = message_from_bytes(raw, policy=default)
    to = [{"Address": address} for address in recipients]
    messages.append({"To": to, "Subject": str(mail["Subject"] or "")})


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).split(b" ")
    found = {"/readyz": "ok", "/livez": "ok", "/api/v1/messages": {"messages": messages}}
    answer = found.get(request[1].decode())
    content = json.dumps(answer).encode()
    status = b"404 Not Found" if answer is None else b"200 OK"
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (
        status,
        len(content),
    )
    writer.write(head + b"Connection: close\r\n\r\n" + content)
    await writer.drain()
    writer.close()


async def serve() -> None:
    servers = [
        await asyncio.start_server(smtp, port=1025),
        await asyncio.start_server(http, port=8025),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    if sys.argv[1:] == ["readyz"]:
        urllib.request.urlopen("http://127.0.0.1:8025/readyz", timeout=3).close()
    else:
        asyncio.run(serve())
