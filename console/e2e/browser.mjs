// A headless Chromium, Debian's, and what the steps share.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const kPrograms = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const kPatience = 120_000; // machines are busy

// Calls `use` with a function that opens pages; every page's errors and requests to elsewhere are failures.
export async function withBrowser(origin, use) {
  const executablePath = kPrograms.find((path) => existsSync(path));
  if (!executablePath) throw new Error('chromium is missing: tools/deps installs it');
  // Root has no sandbox in Chromium.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const problems = [];
  const open = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, locale: 'en-GB', ...options });
    context.setDefaultTimeout(kPatience);
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) problems.push(message.text());
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) problems.push(`request to ${url}`);
    });
    return page;
  };
  try {
    await use(open);
  } finally {
    await browser.close();
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

export function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}

export async function step(what, work) {
  const begin = Date.now();
  await work();
  console.log(`${((Date.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

// Until `read` gives what `wanted` accepts. `what`: a text, or a function that gives it at the end.
export async function eventually(read, wanted, what, patience = kPatience) {
  for (const deadline = Date.now() + patience; Date.now() < deadline; ) {
    if (wanted(await read())) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${patience / 1000} s: ${typeof what === 'function' ? what() : what}`);
}
