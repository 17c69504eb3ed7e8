// Uses GraphiQL as a newcomer does.
import { QUERY, TOOL, answer, editorLines, page, pageUrl, report, screenshot, seen, text, type } from "./browser.mjs";

await report(async () => {
  const [introspection] = await Promise.all([answer(), page.goto(pageUrl)]);
  seen.introspectionStatus = introspection.status();
  seen.config = JSON.parse(await page.locator("#gateway-config").textContent());
  seen.title = await page.title();
  seen.query = await editorLines(QUERY);
  seen.headers = await editorLines(TOOL);

  const [execution] = await Promise.all([answer(), page.getByRole("button", { name: /^Execute query/ }).click()]);
  seen.answer = await execution.json();
  await page.locator(".graphiql-response .view-line").nth(2).waitFor();
  seen.result = await editorLines(".graphiql-response");
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  seen.documentation = await text(page.locator(".graphiql-doc-explorer"));
  await page.screenshot({ path: screenshot });
  await page.getByRole("button", { name: "Show History" }).click();
  seen.history = await text(page.locator(".graphiql-history"));

  await page.getByRole("button", { name: "New tab" }).click();
  await type(QUERY, "{ ");
  await page.keyboard.type("pipelineS");
  const suggestion = page.locator(".suggest-widget .monaco-list-row");
  await suggestion.first().waitFor();
  seen.suggestions = await suggestion.evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label")));
  await page.keyboard.press("Escape");

  await type(QUERY, "query Mine{__typename}");
  await page.getByRole("button", { name: /^Prettify query/ }).click();
  await page.locator(QUERY).locator(".view-line").nth(2).waitFor();
  seen.prettified = await editorLines(QUERY);
  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  seen.storage = await page.evaluate(() => JSON.stringify(localStorage));

  const problemsBefore = seen.problems.length;
  await type(TOOL, '{"authorization": "Bearer nonsense"}');
  await page.getByRole("button", { name: "Re-fetch GraphQL schema" }).click();
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  seen.refused = await text(page.locator(".graphiql-doc-explorer-error"));
  seen.problems.length = problemsBefore; // a browser logs each 401 as an error
});
