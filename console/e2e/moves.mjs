// An instance a second time, and on another host: asked for, refused, followed until it is there.
import { check, eventually } from './browser.mjs';
import { checkBarriers, dialog, heading } from './look.mjs';

const state = (page) => page.locator('.subtitle .state');
const ask = (page, name) => page.getByRole('button', { name, exact: true }).click();
const confirm = (page, name) => dialog(page).getByRole('button', { name, exact: true }).click();
const toClose = (page) => dialog(page).waitFor({ state: 'detached' });

async function clone(page, picture) {
  await ask(page, 'Clone…');
  check((await dialog(page).getByLabel('Name').inputValue()) === 'web-1-2', 'a free name is proposed');
  await dialog(page).getByText('pileus clone web-1 --name web-1-2').waitFor();
  await checkBarriers(page, 'the question for a clone');
  await picture(page, 'clone');
  await dialog(page).getByLabel('How many').fill('20');
  await confirm(page, 'Clone');
  await dialog(page).getByRole('alert').waitFor(); // more than one request makes: the server's own words
  await dialog(page).getByLabel('Name').fill('copy');
  await dialog(page).getByLabel('How many').fill('1');
  await confirm(page, 'Clone');
  await heading(page, 'copy').waitFor();
  await state(page).getByText('running').waitFor();
}

// The keyboard alone; Enter in the question is its button.
async function migrate(page, picture) {
  await page.getByRole('button', { name: 'Migrate…' }).focus();
  await page.keyboard.press('Enter');
  const here = await page.locator('.facts').getByText(/^h-/).innerText();
  const names = await dialog(page).getByLabel('Host').locator('option').allInnerTexts();
  check(names.length === 3 && names[0] === 'Wherever it fits', `it may go to the two other hosts: ${names}`);
  await dialog(page).getByLabel('Host').selectOption(names[1]);
  await dialog(page).getByText(`pileus migrate copy --to ${names[1]} --reboot`).waitFor();
  await checkBarriers(page, 'the question for a migration');
  await picture(page, 'migrate');
  await confirm(page, 'Migrate');
  const consent = dialog(page).getByLabel('Shut it down for the move');
  check(await consent.evaluate((box) => box.matches(':invalid')), 'a running one is moved only by who says that it may go down');
  await consent.focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await toClose(page);
  await page.getByRole('status').filter({ hasText: `copy is on ${names[1]} now` }).waitFor();
  await state(page).getByText('running').waitFor();
  const there = () => page.locator('.facts').getByText(/^h-/).innerText();
  await eventually(there, (host) => host !== here, 'the page says where it is');
}

async function ends(page) {
  await ask(page, 'Terminate…');
  await confirm(page, 'Terminate');
  await state(page).getByText('terminated').waitFor();
  check(await page.getByRole('button', { name: 'Clone…' }).isDisabled(), 'what is gone is not cloned');
}

export async function cloneAndMigrate(page, picture) {
  await page.getByRole('tab', { name: 'Overview' }).click();
  await clone(page, picture);
  await migrate(page, picture);
  await ends(page);
  await page.goBack();
}
