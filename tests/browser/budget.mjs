// Watches the budget under the editor: a run drains it, and time fills it again.
import { answer, page, pageUrl, report, screenshot, seen, text } from "./browser.mjs";

const cost = page.getByRole("region", { name: "Price" });
const meter = cost.getByRole("meter", { name: "Budget" });
const available = async () => Number(await meter.getAttribute("aria-valuenow"));

await report(async () => {
  await Promise.all([answer(), page.goto(pageUrl)]);
  await meter.waitFor();
  seen.maximum = Number(await meter.getAttribute("aria-valuemax"));
  seen.before = await available();
  await Promise.all([answer(), page.getByRole("button", { name: /^Execute query/ }).click()]);
  await page.waitForFunction(() => document.querySelector(".cost")?.innerText.includes("cost"));
  seen.outcome = await text(cost.locator(".cost-line").first());
  seen.after = await available();
  await page.screenshot({ path: screenshot });
  await page.waitForFunction(
    (after) => Number(document.querySelector(".cost [role=meter]").getAttribute("aria-valuenow")) > after,
    seen.after,
  );
  seen.later = await available();
});
