// The official TypeScript SDK, both its lines, from nothing but a URL.
//
//   node typescript.mjs MCP_URL EXPIRED_TOKEN LINE
//
// LINE is `1` (@modelcontextprotocol/sdk) or `2` (@modelcontextprotocol/client). EXPIRED_TOKEN is an
// access token that was good once, as `todo-mcp token --expires-in -600` prints it. One line is
// printed for every step; what goes wrong ends the run with a sentence and exit code 1.

import assert from "node:assert/strict";

import { allow } from "./person.mjs";

const [endpoint, expiredToken, line] = process.argv.slice(2);
const REDIRECT_URI = "http://localhost:8765/callback";
const EVERYTHING = ["todo:read", "todo:write"];
const OFFLINE = "offline_access";

/**
 * What differs between the lines. The first speaks the old era of the protocol only, and asks for
 * exactly the scopes of the challenge: an application that wants a refresh token has to add
 * `offline_access` itself.
 */
const sdks = {
  1: async () => {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { UnauthorizedError } = await import("@modelcontextprotocol/sdk/client/auth.js");
    const { StreamableHTTPClientTransport } = await import(
      "@modelcontextprotocol/sdk/client/streamableHttp.js"
    );
    const finish = (transport, callback) => transport.finishAuth(callback.searchParams.get("code"));
    const eras = ["legacy"];
    return { Client, StreamableHTTPClientTransport, UnauthorizedError, finish, eras, first: true };
  },
  2: async () => {
    const sdk = await import("@modelcontextprotocol/client");
    const finish = (transport, callback) => transport.finishAuth(callback.searchParams);
    return { ...sdk, finish, eras: ["legacy", "auto", { pin: "2026-07-28" }] };
  },
};

/** What the SDK asks an application to keep, and where it sends the person. */
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
  /** The addresses that the person was sent to. */
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

  /** The person allows these scopes where the client last sent them, and comes back. */
  async authorize(sdk, transport, ticked) {
    const callback = await allow(this.asked.at(-1), ticked);
    assert.equal(callback.searchParams.get("state"), this.kept.state);
    await sdk.finish(transport, callback);
  }
}

/** Connects without a token, is sent to the person, and connects with what they allow. */
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

async function usesAllFiveTools(sdk, era) {
  const application = new Application();
  const [client] = await logIn(sdk, era, application, EVERYTHING);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  const expected = ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"];
  assert.deepEqual(names, expected);

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
    // It exchanges the refresh token in the hope of more scopes, which no server may give, and stops.
    await assert.rejects(creation(), /Server returned 403 after trying upscoping/);
    assert.equal(application.asked.length, 1, "nobody is asked");
    return client.close();
  }
  await assert.rejects(creation(), sdk.UnauthorizedError);
  await application.authorize(sdk, transport, [...EVERYTHING, OFFLINE]);
  const { todo } = await creation();
  await call(client, "delete_todo", { todo_id: todo.id });
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
  assert.equal(application.asked.length, 1, "nobody is asked again");
  await client.close();
}

const STEPS = [usesAllFiveTools, stepsUp, stepsUpWithARefreshToken, refreshes];

try {
  const sdk = await sdks[line]();
  for (const era of sdk.eras) {
    for (const step of STEPS) {
      console.log(`SDK ${line}.x, ${JSON.stringify(era)}: ${step.name}`);
      await step(sdk, era);
    }
  }
  console.log("done");
} catch (problem) {
  console.error(problem);
  process.exitCode = 1;
}
