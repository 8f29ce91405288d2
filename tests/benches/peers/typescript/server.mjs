// The five tools on the official TypeScript SDK, in the fastest form that it has: `node:http` without a
// framework, no sessions, JSON instead of event streams. A server is made for every request, as its handler
// demands. Tokens are verified with `jose` and cached keys, and cached by their SHA-256 until they expire; each
// tool requires its scope; requests are logged in groups.

import { createHash, randomUUID } from "node:crypto";
import { write } from "node:fs";
import { createServer } from "node:http";

import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  McpServer,
  OAuthError,
  OAuthErrorCode,
  bearerAuthChallengeResponse,
  createMcpHandler,
  requireScopes,
  verifyBearerToken,
} from "@modelcontextprotocol/server";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { z } from "zod";

const [port, issuer, audience] = process.argv.slice(2);
const PAGE = 50;
const CACHED_TOKENS = 250_000;
const LOG_PAUSE_MS = 5;

const keys = createRemoteJWKSet(new URL(`${issuer}/keys`));
const verifiedTokens = new Map();

async function verifyAccessToken(token) {
  const digest = createHash("sha256").update(token).digest("base64");
  // `verifyBearerToken` refuses one that has expired since.
  const known = verifiedTokens.get(digest);
  if (known) return known;
  let claims;
  try {
    claims = (await jwtVerify(token, keys, { issuer, audience, algorithms: ["RS256"] })).payload;
  } catch {
    throw new OAuthError(OAuthErrorCode.InvalidToken, "The access token is not valid");
  }
  const verified = {
    token,
    clientId: claims.client_id ?? "",
    scopes: claims.scope.split(" "),
    expiresAt: claims.exp,
    extra: { subject: claims.sub },
  };
  // The oldest goes first.
  if (verifiedTokens.size >= CACHED_TOKENS) {
    verifiedTokens.delete(verifiedTokens.keys().next().value);
  }
  verifiedTokens.set(digest, verified);
  return verified;
}

const auth = { verifier: { verifyAccessToken } };

let lines = [];
function log(line) {
  if (lines.push(line) === 1) {
    setTimeout(() => {
      const text = lines.join("");
      lines = [];
      write(2, text, () => {});
    }, LOG_PAUSE_MS);
  }
}

const todos = new Map();
const byKey = new Map();

const Todo = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  completed: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  completed_at: z.string().optional(),
  version: z.number().int(),
});
const OneTodo = z.object({ todo: Todo });

const found = (content) => ({
  content: [{ type: "text", text: JSON.stringify(content) }],
  structuredContent: content,
});
const failed = (error) => ({ content: [{ type: "text", text: JSON.stringify(error) }], isError: true });
const notFound = (id) => failed({ error: `Todo \`${id}\` not found.`, code: "not_found" });
const conflict = (todo) =>
  failed({ error: `Todo \`${todo.id}\` has changed.`, code: "version_conflict", todo });

const reads = requireScopes("todo:read");
const writes = requireScopes("todo:write");

// Made once: the schemas are compiled for the first server that has them.
const TOOLS = [
  ["list_todos", {
    description: "Lists the todos, oldest first, a page at a time.",
    inputSchema: z.strictObject({
      completed: z.boolean().optional(),
      limit: z.number().int().optional(),
      cursor: z.string().optional(),
    }),
    outputSchema: z.object({ todos: z.array(Todo), next_cursor: z.string().optional() }),
    scopeChallenge: reads,
  }, ({ completed, limit = PAGE, cursor }) => {
    const page = [];
    let begun = cursor === undefined;
    for (const todo of todos.values()) {
      if (begun && (completed === undefined || todo.completed === completed)) {
        if (page.length === limit) return found({ todos: page, next_cursor: page.at(-1).id });
        page.push(todo);
      }
      begun ||= todo.id === cursor;
    }
    return found({ todos: page });
  }],
  ["get_todo", {
    description: "Returns a todo.",
    inputSchema: z.strictObject({ todo_id: z.string() }),
    outputSchema: OneTodo,
    scopeChallenge: reads,
  }, ({ todo_id }) => {
    const todo = todos.get(todo_id);
    return todo ? found({ todo }) : notFound(todo_id);
  }],
  ["create_todo", {
    description: "Adds an open todo and returns it with its id.",
    inputSchema: z.strictObject({
      title: z.string(),
      description: z.string().optional(),
      idempotency_key: z.string().optional(),
    }),
    outputSchema: OneTodo,
    scopeChallenge: writes,
  }, ({ title, description, idempotency_key }) => {
    const known = idempotency_key && todos.get(byKey.get(idempotency_key));
    if (known) return found({ todo: known });
    const now = new Date().toISOString();
    const todo = {
      id: randomUUID(),
      title,
      description: description || null,
      completed: false,
      created_at: now,
      updated_at: now,
      version: 1,
    };
    todos.set(todo.id, todo);
    if (idempotency_key) byKey.set(idempotency_key, todo.id);
    return found({ todo });
  }],
  ["update_todo", {
    description: "Changes a todo and returns the new state.",
    inputSchema: z.strictObject({
      todo_id: z.string(),
      title: z.string().optional(),
      description: z.string().optional(),
      completed: z.boolean().optional(),
      expected_version: z.number().int().optional(),
    }),
    outputSchema: OneTodo,
    scopeChallenge: writes,
  }, ({ todo_id, title, description, completed, expected_version }) => {
    const todo = todos.get(todo_id);
    if (!todo) return notFound(todo_id);
    if (expected_version !== undefined && expected_version !== todo.version) return conflict(todo);
    const now = new Date().toISOString();
    if (title !== undefined) todo.title = title;
    if (description !== undefined) todo.description = description || null;
    if (completed !== undefined) {
      todo.completed = completed;
      if (completed) todo.completed_at = now;
      else delete todo.completed_at;
    }
    todo.updated_at = now;
    todo.version += 1;
    return found({ todo });
  }],
  ["delete_todo", {
    description: "Deletes a todo.",
    inputSchema: z.strictObject({
      todo_id: z.string(),
      expected_version: z.number().int().optional(),
    }),
    outputSchema: z.object({ deleted: z.string() }),
    scopeChallenge: writes,
  }, ({ todo_id, expected_version }) => {
    const todo = todos.get(todo_id);
    if (!todo) return notFound(todo_id);
    if (expected_version !== undefined && expected_version !== todo.version) return conflict(todo);
    todos.delete(todo_id);
    return found({ deleted: todo_id });
  }],
];

const handler = toNodeHandler(createMcpHandler(
  () => {
    const server = new McpServer({ name: "Todo Server", version: "1.0.0" });
    for (const tool of TOOLS) server.registerTool(...tool);
    return server;
  },
  { responseMode: "json" },
));

createServer({ noDelay: true }, async (request, response) => {
  const started = process.hrtime.bigint();
  if (request.method !== "POST" || request.url !== "/mcp") {
    response.writeHead(404).end();
    return;
  }
  try {
    request.auth = await verifyBearerToken(request.headers.authorization, auth);
  } catch (error) {
    const challenge = bearerAuthChallengeResponse(error, auth);
    response.writeHead(challenge.status, Object.fromEntries(challenge.headers)).end(await challenge.text());
    return;
  }
  await handler(request, response);
  const elapsed = (process.hrtime.bigint() - started) / 1000n;
  const { clientId, extra } = request.auth;
  log(`${new Date().toISOString()} INFO request status=${response.statusCode} elapsed_us=${elapsed} ` +
    `tool=${request.headers["mcp-name"] ?? ""} subject=${extra.subject} client=${clientId}\n`);
}).listen(Number(port), "127.0.0.1");
