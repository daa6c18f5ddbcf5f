/** Takes a screenshot for people to look at. No check depends on it, and under load Chromium sometimes cannot take one. */
export async function screenshot(page, options) {
  await page.screenshot(options).catch((error) => {
    if (!error.message.includes("Unable to capture screenshot")) throw error;
    console.log(`no screenshot: ${options.path}`);
  });
}
