// The official TypeScript SDK in both its major versions, given only a URL.
//
//   node typescript.mjs MCP_URL EXPIRED_TOKEN LINE
//
// LINE is `1` (@modelcontextprotocol/sdk) or `2` (@modelcontextprotocol/client). EXPIRED_TOKEN is an
// expired access token, as printed by `todo-mcp token --expires-in -600`. Each step prints a line; a
// failure prints a sentence and exits with code 1. After the line `waits for the server to stop` the
// server has to be stopped: the last step observes that.

import assert from "node:assert/strict";

import { allow } from "./person.mjs";

const [endpoint, expiredToken, line] = process.argv.slice(2);
const REDIRECT_URI = "http://localhost:8765/callback";
const EVERYTHING = ["todo:read", "todo:write"];
const OFFLINE = "offline_access";
const TODOS = "todo://todos";
const TODAY = "todo://today";
const CHANGES = "todo://changes";
const TEMPLATE = "todo://todos/{id}";

/** The prompts, with all their arguments. */
const PROMPTS = {
  plan_my_day: { available_time: "2 hours", focus: "the garden" },
  weekly_review: { since: "last Monday" },
  break_down_goal: { goal: "learn to swim", deadline: "Friday" },
  review_changes: { since: "yesterday" },
};

/**
 * The differences between the versions. The first supports the old era of the protocol only, and
 * requests exactly the scopes of the challenge: an application that wants a refresh token has to add
 * `offline_access` itself.
 */
const sdks = {
  1: async () => {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { UnauthorizedError } = await import("@modelcontextprotocol/sdk/client/auth.js");
    const { StreamableHTTPClientTransport } = await import(
      "@modelcontextprotocol/sdk/client/streamableHttp.js"
    );
    const { UriTemplate } = await import("@modelcontextprotocol/sdk/shared/uriTemplate.js");
    const sdk = { Client, StreamableHTTPClientTransport, UnauthorizedError, UriTemplate };
    const finish = (transport, callback) => transport.finishAuth(callback.searchParams.get("code"));
    const isMissing = (error) => error.code === -32002;
    return { ...sdk, finish, isMissing, eras: ["legacy"], first: true };
  },
  2: async () => {
    const sdk = await import("@modelcontextprotocol/client");
    const finish = (transport, callback) => transport.finishAuth(callback.searchParams);
    // It maps the errors of both eras to one.
    const isMissing = (error) => error instanceof sdk.ResourceNotFoundError;
    return { ...sdk, finish, isMissing, eras: ["legacy", "auto", { pin: "2026-07-28" }] };
  },
};

/** The storage that an application provides to the SDK, and the addresses that the user is sent to. */
class Application {
  redirectUrl = REDIRECT_URI;
  clientMetadata = {
    client_name: `TypeScript SDK ${line}.x`,
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  kept = {};
  /** The addresses that the user was sent to. */
  asked = [];

  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  discoveryState = () => this.kept.discovery;
  saveDiscoveryState = (discovery) => void (this.kept.discovery = discovery);
  state = () => (this.kept.state = crypto.randomUUID());
  redirectToAuthorization = (url) => {
    if (this.addsOfflineAccess) url.searchParams.set("scope", `${scopes(url)} ${OFFLINE}`);
    this.asked.push(url);
  };

  constructor({ addsOfflineAccess = false } = {}) {
    this.addsOfflineAccess = addsOfflineAccess;
  }

  /** The user allows these scopes on the last consent page, and is redirected. */
  async authorize(sdk, transport, ticked) {
    const callback = await allow(this.asked.at(-1), ticked);
    assert.equal(callback.searchParams.get("state"), this.kept.state);
    await sdk.finish(transport, callback);
  }
}

/** Connects without a token, sends the user to the consent page, and connects with the granted scopes. */
async function logIn(sdk, era, application, ticked) {
  const [stranger, refused] = session(sdk, era, application);
  await assert.rejects(stranger.connect(refused), sdk.UnauthorizedError);
  await application.authorize(sdk, refused, ticked);
  const [client, transport] = session(sdk, era, application);
  await client.connect(transport);
  return [client, transport];
}

function session(sdk, era, application) {
  const versionNegotiation = { mode: era };
  const client = new sdk.Client({ name: "real-client", version: "1.0.0" }, { versionNegotiation });
  const authProvider = application;
  return [client, new sdk.StreamableHTTPClientTransport(new URL(endpoint), { authProvider })];
}

function scopes(authorizationUrl) {
  return authorizationUrl.searchParams.get("scope");
}

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert(!result.isError, `${name} answers ${JSON.stringify(result)}`);
  return result.structuredContent;
}

/** The content of a resource. */
async function read(client, uri) {
  const { contents } = await client.readResource({ uri });
  assert.deepEqual(contents.map((it) => [it.uri, it.mimeType]), [[uri, "application/json"]]);
  return JSON.parse(contents[0].text);
}

/** The completions of an argument. */
async function complete(client, ref, name, value) {
  const { completion } = await client.complete({ ref, argument: { name, value } });
  assert.equal(completion.hasMore, false);
  return completion.values;
}

/** The next notification of this kind. */
function next(client, method) {
  return new Promise((resolve) => client.setNotificationHandler(method, resolve));
}

async function usesTheTools(sdk, era) {
  const application = new Application();
  const [client] = await logIn(sdk, era, application, EVERYTHING);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  const first = ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"];
  assert.deepEqual(names.slice(0, first.length), first);

  const { todo } = await call(client, "create_todo", { title: "Buy milk", description: "Oat" });
  const todo_id = todo.id;
  assert.deepEqual((await call(client, "list_todos")).todos, [todo]);
  assert.deepEqual(await call(client, "get_todo", { todo_id }), { todo });
  const updated = await call(client, "update_todo", { todo_id, completed: true });
  assert.equal(updated.todo.completed, true);
  assert.deepEqual(await call(client, "delete_todo", { todo_id }), { deleted: todo_id });
  const gone = await client.callTool({ name: "get_todo", arguments: { todo_id } });
  assert.equal(gone.isError, true);
  assert.equal(application.asked.length, 1, "the person was asked once");
  await client.close();
}

async function readsResources(sdk, era) {
  const [client] = await logIn(sdk, era, new Application(), EVERYTHING);
  const { todo } = await call(client, "create_todo", { title: "Buy milk" });
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.deepEqual(resourceTemplates.map((it) => it.uriTemplate), [TEMPLATE, "todo://labels/{label}"]);
  const uri = new sdk.UriTemplate(TEMPLATE).expand({ id: todo.id });

  const { resources } = await client.listResources();
  const listed = resources.map((it) => [it.uri, it.title]);
  const lists = [[TODOS, "Open todos"], [TODAY, "Due today"], [CHANGES, "Today's changes"]];
  assert.deepEqual(listed, [...lists, [uri, "Buy milk"]]);
  assert.deepEqual(await read(client, TODOS), { todos: [todo] });
  assert.deepEqual(await read(client, uri), { todo });

  await call(client, "delete_todo", { todo_id: todo.id });
  const missing = (error) => sdk.isMissing(error) && error.data.uri === uri;
  await assert.rejects(read(client, uri), missing);
  await client.close();
}

async function startsPrompts(sdk, era) {
  const [client] = await logIn(sdk, era, new Application(), EVERYTHING);
  const { todo } = await call(client, "create_todo", { title: "Buy milk" });
  const { prompts } = await client.listPrompts();
  assert.deepEqual(prompts.map((it) => it.name), Object.keys(PROMPTS));

  for (const [name, filled] of Object.entries(PROMPTS)) {
    const { messages } = await client.getPrompt({ name, arguments: filled });
    const [opening, todos] = messages.map((message) => message.content);
    for (const value of Object.values(filled)) assert(opening.text.includes(value), opening.text);
    const shown = JSON.parse(todos.resource.text);
    if (name === "review_changes") assert.equal(shown.changes.at(-1).todo_id, todo.id);
    else assert.deepEqual(shown, { todos: [todo] });
  }
  await assert.rejects(client.getPrompt({ name: "break_down_goal" }), { code: -32602 });
  await call(client, "delete_todo", { todo_id: todo.id });
  await client.close();
}

async function completes(sdk, era) {
  const [client] = await logIn(sdk, era, new Application(), EVERYTHING);
  const { todo } = await call(client, "create_todo", { title: "Buy milk" });
  const template = { type: "ref/resource", uri: TEMPLATE };
  const prompt = (name) => ({ type: "ref/prompt", name });

  assert.deepEqual(await complete(client, template, "id", "buy m"), [todo.id]);
  assert.deepEqual(await complete(client, template, "id", "bread"), []);
  const goals = await complete(client, prompt("break_down_goal"), "goal", "mil");
  assert.deepEqual(goals, ["Buy milk"]);
  const times = await complete(client, prompt("plan_my_day"), "available_time", "ha");
  assert.deepEqual(times, ["half a day"]);
  await call(client, "delete_todo", { todo_id: todo.id });
  await client.close();
}

async function isNotifiedOfChanges(sdk, era) {
  const [listening] = await logIn(sdk, era, new Application(), EVERYTHING);
  const [writing] = await logIn(sdk, era, new Application(), EVERYTHING);
  const everything = { resourcesListChanged: true, resourceSubscriptions: [TODOS] };
  const subscription = await listening.listen(everything);
  assert.deepEqual(subscription.honoredFilter, everything);
  const notified = async (change) => {
    const list = next(listening, "notifications/resources/list_changed");
    const resource = next(listening, "notifications/resources/updated");
    const result = await change();
    await list;
    assert.equal((await resource).params.uri, TODOS);
    return result;
  };

  const { todo } = await notified(() => call(writing, "create_todo", { title: "Buy milk" }));
  assert.deepEqual(await read(listening, TODOS), { todos: [todo] });
  await notified(() => call(writing, "delete_todo", { todo_id: todo.id }));
  assert.deepEqual(await read(listening, TODOS), { todos: [] });

  await subscription.close();
  assert.equal(await subscription.closed, "local");
  await listening.close();
  await writing.close();
}

async function stepsUp(sdk, era) {
  const application = new Application();
  const [client, transport] = await logIn(sdk, era, application, ["todo:read"]);
  assert.deepEqual(await call(client, "list_todos"), { todos: [] });

  await assert.rejects(call(client, "create_todo", { title: "Buy milk" }), sdk.UnauthorizedError);
  assert.equal(application.asked.length, 2, "the person is asked again");
  const asked = scopes(application.asked[1]).split(" ");
  for (const scope of EVERYTHING) assert(asked.includes(scope), `the SDK asks for ${asked}`);

  await application.authorize(sdk, transport, EVERYTHING);
  const { todo } = await call(client, "create_todo", { title: "Buy milk" });
  await call(client, "delete_todo", { todo_id: todo.id });
  await client.close();
}

async function stepsUpWithARefreshToken(sdk, era) {
  const application = new Application({ addsOfflineAccess: sdk.first });
  const ticked = ["todo:read", OFFLINE];
  const [client, transport] = await logIn(sdk, era, application, ticked);
  const creation = () => call(client, "create_todo", { title: "Buy milk" });
  if (sdk.first) {
    // It uses the refresh token to get more scopes, which no server may grant, and stops.
    await assert.rejects(creation(), /Server returned 403 after trying upscoping/);
    assert.equal(application.asked.length, 1, "no consent is requested");
    return client.close();
  }
  await assert.rejects(creation(), sdk.UnauthorizedError);
  await application.authorize(sdk, transport, [...EVERYTHING, OFFLINE]);
  const { todo } = await creation();
  await call(client, "delete_todo", { todo_id: todo.id });
  await client.close();
}

async function stepsUpToRead(sdk, era) {
  const application = new Application();
  const [client, transport] = await logIn(sdk, era, application, ["todo:write"]);
  await assert.rejects(read(client, TODOS), sdk.UnauthorizedError);
  await application.authorize(sdk, transport, EVERYTHING);
  assert.deepEqual(await read(client, TODOS), { todos: [] });
  assert.equal(application.asked.length, 2, "the person was asked once more");
  await client.close();
}

async function refreshes(sdk, era) {
  const application = new Application({ addsOfflineAccess: sdk.first });
  const [client] = await logIn(sdk, era, application, [...EVERYTHING, OFFLINE]);
  const { refresh_token } = application.kept.tokens;
  assert(refresh_token, "the application has a refresh token");
  application.kept.tokens.access_token = expiredToken;

  assert.deepEqual(await call(client, "list_todos"), { todos: [] });
  assert.notEqual(application.kept.tokens.access_token, expiredToken);
  assert.notEqual(application.kept.tokens.refresh_token, refresh_token, "refresh tokens rotate");
  assert.equal(application.asked.length, 1, "no consent is requested again");
  await client.close();
}

async function hearsTheServerStop(sdk, era) {
  const [client] = await logIn(sdk, era, new Application(), EVERYTHING);
  const subscription = await client.listen({ resourcesListChanged: true });
  console.log("waits for the server to stop");
  assert.equal(await subscription.closed, "graceful");
  await client.close();
}

const STEPS = [
  usesTheTools,
  readsResources,
  startsPrompts,
  completes,
  stepsUp,
  stepsUpWithARefreshToken,
  stepsUpToRead,
  refreshes,
];

async function run(step, sdk, era) {
  console.log(`SDK ${line}.x, ${JSON.stringify(era)}: ${step.name}`);
  await step(sdk, era);
}

try {
  const sdk = await sdks[line]();
  for (const era of sdk.eras) {
    for (const step of STEPS) await run(step, sdk, era);
    if (era !== "legacy") await run(isNotifiedOfChanges, sdk, era);
  }
  if (!sdk.first) await run(hearsTheServerStop, sdk, sdk.eras.at(-1));
  console.log("done");
} catch (problem) {
  console.error(problem);
  process.exitCode = 1;
}
