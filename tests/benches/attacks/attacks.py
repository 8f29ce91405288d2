"""The attacks. Each is a coroutine that runs until it is cancelled, and calls `ready` once it is at its
height."""

import asyncio
import base64
import http.client
import json
import os
import resource

LENGTH = 1024 * 1024


def head(token: str | None, framing: str) -> bytes:
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST /mcp HTTP/1.1\r\nhost: localhost\r\n{authorization}content-type: application/json\r\n"
        f"accept: application/json\r\n{framing}\r\n\r\n"
    ).encode()


def request(token: str | None, message: object) -> bytes:
    body = json.dumps(message).encode()
    return head(token, f"content-length: {len(body)}") + body


def call(tool: str, arguments: dict) -> dict:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}}


async def many(count: int, one, ready) -> None:
    """Runs `one` so many times at once. An attacker whose connection was closed opens another."""
    started = [False] * count

    async def again(index: int) -> None:
        while True:
            try:
                await one(lambda: started.__setitem__(index, True))
            except OSError:
                pass
            started[index] = True
            await asyncio.sleep(0.5)

    tasks = [asyncio.create_task(again(index)) for index in range(count)]
    while sum(started) < count * 0.9:
        await asyncio.sleep(0.05)
    ready()
    await asyncio.gather(*tasks)


async def held(address, text: bytes, at_its_height, read: int = 0) -> None:
    """Sends the text and then nothing, for a minute."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(text)
        await asyncio.wait_for(writer.drain(), 60)
        at_its_height()
        if read:
            await asyncio.wait_for(reader.read(read), 60)
        else:
            await asyncio.sleep(60)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def tiny_chunks(address, tokens, ready) -> None:
    text = head(tokens["no scope"], "transfer-encoding: chunked") + b"1\r\n \r\n" * (LENGTH - 1)
    await many(40, lambda started: held(address, text, started, 1), ready)


async def unfinished_bodies(address, tokens, ready) -> None:
    text = head(tokens["no scope"], f"content-length: {LENGTH}") + b" " * (LENGTH - 1)
    await many(500, lambda started: held(address, text, started, 1), ready)


async def unfinished_headers(address, _tokens, ready) -> None:
    text = b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 400_000
    await many(3000, lambda started: held(address, text, started, 1), ready)


async def unread_answers(address, tokens, ready) -> None:
    batch = request(tokens["greedy"], [call("list_todos", {"limit": 200})] * 4)
    await many(200, lambda started: held(address, batch, started), ready)


async def completions(address, tokens, ready) -> None:
    completion = {"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": {
        "ref": {"type": "ref/resource", "uri": "todo://todos/{id}"},
        "argument": {"name": "id", "value": "\u6f22"}}}
    batch = request(tokens["greedy"], [completion] * 100)
    await many(10, lambda started: held(address, batch, started, 100), ready)


async def idle_connections(address, _tokens, ready) -> None:
    await many(9_500, lambda started: held(address, b"", started, 1), ready)


async def bad_signatures(address, tokens, ready) -> None:
    header, claims, signature = tokens["greedy"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    number = 0

    async def one(started) -> None:
        nonlocal number
        reader, writer = await asyncio.open_connection(*address)
        try:
            while True:
                number += 1
                forged = json.dumps(claims | {"sub": f"usr_{number}"}).encode()
                forged = base64.urlsafe_b64encode(forged).decode().rstrip("=")
                writer.write(request(f"{header}.{forged}.{signature}", call("list_todos", {})))
                await writer.drain()
                length = 0
                while (line := await reader.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                await reader.readexactly(length)
                started()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    await many(100, one, ready)


async def one_todo(address, tokens, ready) -> None:
    connection = http.client.HTTPConnection(*address)
    headers = {"authorization": f"Bearer {tokens['greedy']}", "content-type": "application/json",
               "accept": "application/json"}
    connection.request("POST", "/mcp", json.dumps(call("create_todo", {"title": "x"})), headers)
    created = json.load(connection.getresponse())["result"]["structuredContent"]["todo"]["id"]
    text = request(tokens["greedy"], call("update_todo", {"todo_id": created, "title": "y"}))
    await many(600, lambda started: held(address, text, started, 1), ready)


ATTACKS = {
    "bodies in chunks of one byte": tiny_chunks,
    "bodies that never end": unfinished_bodies,
    "headers that never end": unfinished_headers,
    "answers that are not read": unread_answers,
    "completions over long titles": completions,
    "idle connections": idle_connections,
    "forged tokens": bad_signatures,
    "changes of one todo": one_todo,
}


def rehearse(server) -> None:
    """Gives the greedy caller what its attacks need: two hundred todos with long titles."""
    for number in range(200):
        title = f"{number} " + "\u6f22\u5b57" * 240
        connection = http.client.HTTPConnection(*server.address)
        message = call("create_todo", {"title": title, "description": "x" * 5_000})
        headers = {"authorization": f"Bearer {server.tokens['greedy']}",
                   "content-type": "application/json", "accept": "application/json"}
        connection.request("POST", "/mcp", json.dumps(message), headers)
        connection.getresponse().read()
        connection.close()


def run_all(name: str, address, tokens, ready, stop) -> None:
    """The process of the attacker."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    names = list(ATTACKS) if name == "all at once" else [name]

    async def attack() -> None:
        left = set(names)

        def at_its_height(one: str) -> None:
            left.discard(one)
            if not left:
                ready.set()

        for one in names:
            asyncio.create_task(ATTACKS[one](address, tokens, lambda one=one: at_its_height(one)))
        while not stop.is_set():
            await asyncio.sleep(0.1)
        # Thousands of tasks are not worth ending one by one.
        os._exit(0)

    asyncio.run(attack())
