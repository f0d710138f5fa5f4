// With a VM that really runs: its serial console answers what is typed, and its figures become charts.
//   real_vm.mjs LINK NAME [FOLDER FOR PICTURES]
import { check, eventually, step, withBrowser } from './browser.mjs';

const [link, name, pictures] = process.argv.slice(2);

async function picture(page, file) {
  if (pictures) await page.screenshot({ path: `${pictures}/${file}.png` });
}

// What the terminal shows, as a screen reader gets it.
const shown = (page) => page.locator('.console-screen .xterm-accessibility-tree').innerText();

await withBrowser(new URL(link).origin, async (open) => {
  const page = await open();
  await step('sign in by the link', async () => {
    await page.goto(link);
    await page.getByRole('link', { name }).first().click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  });
  await step('the serial console answers', async () => {
    await page.getByRole('tab', { name: 'Console' }).click();
    await page.getByText('Serial console: connected').waitFor();
    const asked = 'nobody-of-that-name';
    await page.locator('.console-screen').click();
    await page.keyboard.press('Enter');
    await eventually(() => shown(page), (text) => text.includes('login:'), 'getty asks who it is');
    await page.keyboard.type(asked);
    await eventually(() => shown(page), (text) => text.includes(asked), 'what is typed comes back');
    await page.keyboard.press('Enter');
    await eventually(() => shown(page), (text) => /password/i.test(text), 'login asks for a password');
    await picture(page, 'console-terminal');
    await page.getByRole('button', { name: 'Show the log' }).click();
    await page.getByRole('region', { name: 'System log' }).getByText('login:').first().waitFor();
  });
  await step('figures', async () => {
    await page.getByRole('tab', { name: 'Monitoring' }).click();
    const charts = page.getByRole('img', { name: /Processor|Memory|Network|Disk/ });
    await eventually(() => charts.count(), (count) => count === 4, 'four charts');
    const memory = await page.getByRole('img', { name: /^Memory/ }).getAttribute('aria-label');
    check(/now [1-9]/.test(memory), `the VM uses memory: ${memory}`);
    await picture(page, 'console-monitoring');
  });
});
