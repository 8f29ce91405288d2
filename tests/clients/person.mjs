// The user in front of the consent page, for clients without a browser.
//
// A client sends the user to an address. The user reads the page there, ticks the scopes, presses Allow,
// and is redirected to the client with a code.

import assert from "node:assert/strict";

/** Opens the consent page, allows exactly these scopes, and returns the address of the redirect. */
export async function allow(authorizationUrl, scopes) {
  const page = await fetch(authorizationUrl, { redirect: "manual" });
  const html = await page.text();
  assert.equal(page.status, 200, `expected a consent page, got ${page.status}: ${html}`);

  const offered = inputs(html, "checkbox").map(([, scope]) => scope);
  for (const scope of scopes) {
    assert(offered.includes(scope), `the consent page offers ${offered}, not ${scope}`);
  }
  const form = new URLSearchParams(inputs(html, "hidden"));
  scopes.forEach((scope) => form.append("scope", scope));
  form.append("decision", "allow");

  const action = new URL(/<form [^>]*action="([^"]*)"/.exec(html)[1], authorizationUrl);
  const headers = { origin: action.origin };
  const answer = await fetch(action, { method: "POST", body: form, headers, redirect: "manual" });
  assert.equal(answer.status, 303, `Allow was answered with ${answer.status}`);
  return new URL(answer.headers.get("location"));
}

/** The names and values of the inputs of one type. */
function inputs(html, type) {
  const tags = [...html.matchAll(/<input [^>]*>/g)].map(([tag]) => tag);
  const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return tags
    .filter((tag) => attribute(tag, "type") === type)
    .map((tag) => [attribute(tag, "name"), attribute(tag, "value")]);
}
