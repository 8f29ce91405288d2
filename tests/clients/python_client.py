"""The official Python SDK, in both eras of the protocol, given only a URL.

    python python_client.py MCP_URL EXPIRED_TOKEN

EXPIRED_TOKEN is an expired access token, as printed by `todo-mcp token --expires-in -600`. Each step
prints a line; a failure prints a sentence and exits with code 1. After the line
`waits for the server to stop` the server has to be stopped: the last step observes that.
"""

import asyncio
import json
import logging
import sys
import time
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from mcp.shared.uri_template import UriTemplate
from mcp.types import PromptReference, ResourceTemplateReference

ENDPOINT, EXPIRED_TOKEN = sys.argv[1:]
REDIRECT_URI = "http://localhost:8765/callback"
EVERYTHING = ["todo:read", "todo:write", "offline_access"]
ERAS = ["legacy", "auto", "2026-07-28"]
TODOS = "todo://todos"
TODAY = "todo://today"
CHANGES = "todo://changes"
TEMPLATE = "todo://todos/{id}"

# The prompts, with all their arguments.
PROMPTS = {
    "plan_my_day": {"available_time": "2 hours", "focus": "the garden"},
    "weekly_review": {"since": "last Monday"},
    "break_down_goal": {"goal": "learn to swim", "deadline": "Friday"},
    "review_changes": {"since": "yesterday"},
}


class Inputs(HTMLParser):
    """The hidden fields, the checkboxes and the action of the consent page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.scopes: list[str] = []
        self.action = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        match tag, attributes.get("type"):
            case "form", _:
                self.action = attributes["action"]
            case "input", "hidden":
                self.hidden[attributes["name"]] = attributes["value"]
            case "input", "checkbox":
                self.scopes.append(attributes["value"])


class Person:
    """A user on the consent page, who allows exactly the scopes in `ticks`."""

    def __init__(self, *ticks: str) -> None:
        self.ticks = list(ticks)
        self.asked: list[str] = []

    async def open(self, authorization_url: str) -> None:
        self.asked.append(authorization_url)

    async def come_back(self) -> AuthorizationCodeResult:
        async with httpx2.AsyncClient() as browser:
            page = await browser.get(self.asked[-1])
            expect(page.status_code == 200, f"expected a consent page, got {page.text}")
            inputs = Inputs(page.text)
            missing = set(self.ticks) - set(inputs.scopes)
            expect(not missing, f"the consent page offers {inputs.scopes}, and not {missing}")
            action = urlsplit(urljoin(self.asked[-1], inputs.action))
            answer = await browser.post(
                action.geturl(),
                data={**inputs.hidden, "scope": self.ticks, "decision": "allow"},
                headers={"origin": f"{action.scheme}://{action.netloc}"},
            )
        expect(answer.status_code == 303, f"Allow was answered with {answer.status_code}")
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})


class Storage:
    """The storage that an application provides to the SDK."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info) -> None:
        self.client_info = client_info


def provider(person: Person, storage: Storage) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[REDIRECT_URI])
    return OAuthClientProvider(ENDPOINT, metadata, storage, person.open, person.come_back)


@asynccontextmanager
async def connected(era: str, oauth: OAuthClientProvider):
    async with httpx2.AsyncClient(auth=oauth, timeout=20) as http:
        async with Client(streamable_http_client(ENDPOINT, http_client=http), mode=era) as client:
            yield client


async def call(client: Client, tool: str, **arguments):
    result = await client.call_tool(tool, arguments)
    expect(not result.is_error, f"{tool} answers {result}")
    return result.structured_content


async def read(client: Client, uri: str):
    [content] = (await client.read_resource(uri)).contents
    named = (content.uri, content.mime_type)
    expect(named == (uri, "application/json"), f"what was read from {uri} calls itself {named}")
    return json.loads(content.text)


async def complete(client: Client, reference, argument: str, typed: str) -> list[str]:
    result = await client.complete(reference, {"name": argument, "value": typed})
    return result.completion.values


async def fails(request) -> MCPError:
    try:
        result = await request
    except MCPError as error:
        return error
    raise AssertionError(f"instead of an error there is {result}")


async def uses_the_tools(era: str) -> None:
    person = Person(*EVERYTHING)
    async with connected(era, provider(person, Storage())) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        first = ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"]
        expect(tools[: len(first)] == first, f"the tools are {tools}")

        created = await call(client, "create_todo", title="Buy milk", description="Oat")
        todo_id = created["todo"]["id"]
        listed = await call(client, "list_todos")
        expect(listed == {"todos": [created["todo"]]}, f"the list is {listed}")
        read = await call(client, "get_todo", todo_id=todo_id)
        expect(read == created, f"what was created reads {read}")
        updated = await call(client, "update_todo", todo_id=todo_id, completed=True)
        expect(updated["todo"]["completed"] is True, f"the update gives {updated}")
        deleted = await call(client, "delete_todo", todo_id=todo_id)
        expect(deleted == {"deleted": todo_id}, f"the deletion gives {deleted}")
        gone = await client.call_tool("get_todo", {"todo_id": todo_id})
        expect(gone.is_error, f"what is deleted reads {gone}")
    expect(len(person.asked) == 1, "the person was asked more than once")


async def reads_resources(era: str) -> None:
    async with connected(era, provider(Person(*EVERYTHING), Storage())) as client:
        todo = (await call(client, "create_todo", title="Buy milk"))["todo"]
        [template, _] = (await client.list_resource_templates()).resource_templates
        expect(template.uri_template == TEMPLATE, f"the template is {template}")
        uri = UriTemplate.parse(TEMPLATE).expand({"id": todo["id"]})

        resources = (await client.list_resources()).resources
        listed = [(resource.uri, resource.title) for resource in resources]
        lists = [(TODOS, "Open todos"), (TODAY, "Due today"), (CHANGES, "Today's changes")]
        expect(listed == [*lists, (uri, "Buy milk")], f"the resources are {listed}")
        everything = await read(client, TODOS)
        expect(everything == {"todos": [todo]}, f"the list reads {everything}")
        one = await read(client, uri)
        expect(one == {"todo": todo}, f"the todo reads {one}")

        await call(client, "delete_todo", todo_id=todo["id"])
        missing = (await fails(client.read_resource(uri))).error
        code = -32002 if era == "legacy" else -32602
        expect((missing.code, missing.data) == (code, {"uri": uri}), f"what is gone is {missing}")


async def starts_prompts(era: str) -> None:
    async with connected(era, provider(Person(*EVERYTHING), Storage())) as client:
        todo = (await call(client, "create_todo", title="Buy milk"))["todo"]
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        expect(names == list(PROMPTS), f"the prompts are {names}")

        for name, filled in PROMPTS.items():
            messages = (await client.get_prompt(name, filled)).messages
            opening, todos = [message.content for message in messages]
            for value in filled.values():
                expect(value in opening.text, f"{name} says {opening.text}")
            shown = json.loads(todos.resource.text)
            if name == "review_changes":
                expect(shown["changes"][-1]["todo_id"] == todo["id"], f"{name} shows {shown}")
            else:
                expect(shown == {"todos": [todo]}, f"{name} shows {shown}")
        unfilled = await fails(client.get_prompt("break_down_goal"))
        expect(unfilled.code == -32602, f"without a goal there is {unfilled}")
        await call(client, "delete_todo", todo_id=todo["id"])


async def completes(era: str) -> None:
    async with connected(era, provider(Person(*EVERYTHING), Storage())) as client:
        todo = (await call(client, "create_todo", title="Buy milk"))["todo"]
        template = ResourceTemplateReference(type="ref/resource", uri=TEMPLATE)
        goal = PromptReference(type="ref/prompt", name="break_down_goal")
        day = PromptReference(type="ref/prompt", name="plan_my_day")
        for reference, argument, typed, values in [
            (template, "id", "buy m", [todo["id"]]),
            (template, "id", "bread", []),
            (goal, "goal", "mil", ["Buy milk"]),
            (day, "available_time", "ha", ["half a day"]),
        ]:
            completed = await complete(client, reference, argument, typed)
            expect(completed == values, f"{argument} {typed!r} is completed by {completed}")
        await call(client, "delete_todo", todo_id=todo["id"])


async def is_notified_of_changes(era: str) -> None:
    async with (
        connected(era, provider(Person(*EVERYTHING), Storage())) as listening,
        connected(era, provider(Person(*EVERYTHING), Storage())) as writing,
        listening.listen(resources_list_changed=True, resource_subscriptions=[TODOS]) as changes,
    ):
        honored = (changes.honored.resources_list_changed, changes.honored.resource_subscriptions)
        expect(honored == (True, [TODOS]), f"the server will tell of {changes.honored}")

        async def sees(*todos) -> None:
            notified = [await anext(changes), await anext(changes)]
            both = [ResourcesListChanged(), ResourceUpdated(TODOS)]
            expect(notified == both, f"the notifications are {notified}")
            after = await read(listening, TODOS)
            expect(after == {"todos": list(todos)}, f"what changed reads {after}")

        todo = (await call(writing, "create_todo", title="Buy milk"))["todo"]
        await sees(todo)
        await call(writing, "delete_todo", todo_id=todo["id"])
        await sees()


async def steps_up(era: str) -> None:
    person = Person("todo:read", "offline_access")
    async with connected(era, provider(person, Storage())) as client:
        listed = await call(client, "list_todos")
        expect(listed == {"todos": []}, f"the list is {listed}")
        expect(len(person.asked) == 1, "the person was asked twice to read")

        person.ticks = EVERYTHING
        created = await call(client, "create_todo", title="Buy milk")
        expect(len(person.asked) == 2, "the person was not asked whether it may write")
        [asked] = parse_qs(urlsplit(person.asked[1]).query)["scope"]
        expect(set(EVERYTHING) <= set(asked.split()), f"the SDK asks for {asked}")
        await call(client, "delete_todo", todo_id=created["todo"]["id"])


async def steps_up_to_read(era: str) -> None:
    person = Person("todo:write", "offline_access")
    async with connected(era, provider(person, Storage())) as client:
        await client.list_prompts()
        expect(len(person.asked) == 1, "the person was asked twice to see what everyone may see")
        person.ticks = EVERYTHING
        everything = await read(client, TODOS)
        expect(everything == {"todos": []}, f"the list reads {everything}")
        expect(len(person.asked) == 2, "the person was not asked whether it may read")


async def refreshes_when_its_clock_says_so(era: str) -> None:
    person, storage = Person(*EVERYTHING), Storage()
    oauth = provider(person, storage)
    async with connected(era, oauth) as client:
        await call(client, "list_todos")
        before = storage.tokens
        expect(before.refresh_token, "the SDK has no refresh token")
        oauth.context.current_tokens = before.model_copy(update={"access_token": EXPIRED_TOKEN})
        oauth.context.token_expiry_time = time.time() - 600

        listed = await call(client, "list_todos")
        expect(listed == {"todos": []}, f"the list is {listed}")
        expect(storage.tokens.access_token != before.access_token, "nothing was refreshed")
        expect(storage.tokens.refresh_token != before.refresh_token, "refresh tokens do not rotate")
        expect(len(person.asked) == 1, "the person was asked again")


async def logs_in_again_when_a_stored_token_has_expired(era: str) -> None:
    # The SDK does not store when a token expires: after a restart it sends the stored one, and answers a
    # 401 with a whole login, even with a refresh token.
    person, storage = Person(*EVERYTHING), Storage()
    async with connected(era, provider(person, storage)) as client:
        await call(client, "list_todos")
    storage.tokens = storage.tokens.model_copy(update={"access_token": EXPIRED_TOKEN})
    client_id = storage.client_info.client_id

    async with connected(era, provider(person, storage)) as client:
        listed = await call(client, "list_todos")
        expect(listed == {"todos": []}, f"the list is {listed}")
    expect(storage.tokens.access_token != EXPIRED_TOKEN, "the expired token is still there")
    expect(storage.client_info.client_id == client_id, "the client registered twice")
    expect(len(person.asked) == 2, "the person was not asked again")


async def hears_the_server_stop(era: str) -> None:
    async with (
        connected(era, provider(Person(*EVERYTHING), Storage())) as client,
        client.listen(resources_list_changed=True) as changes,
    ):
        print("waits for the server to stop", flush=True)
        # A stream that ends without its result raises SubscriptionLost.
        notified = [change async for change in changes]
        expect(notified == [], f"something changed: {notified}")


def expect(condition: object, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)


async def run(step, era: str) -> None:
    print(f"{era}: {step.__name__.replace('_', ' ')}", flush=True)
    await asyncio.wait_for(step(era), timeout=30)


async def main() -> None:
    steps = [
        uses_the_tools,
        reads_resources,
        starts_prompts,
        completes,
        steps_up,
        steps_up_to_read,
        refreshes_when_its_clock_says_so,
        logs_in_again_when_a_stored_token_has_expired,
    ]
    for era in ERAS:
        for step in steps:
            await run(step, era)
        if era != "legacy":
            await run(is_notified_of_changes, era)
    await run(hears_the_server_stop, ERAS[-1])
    print("done")


logging.basicConfig()
asyncio.run(main())
