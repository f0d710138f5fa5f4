// A person's way through the console: signs in, launches, watches, stops, starts, terminates; with and without a mouse.
import { mkdirSync } from 'node:fs';
import { check, eventually, step, withBrowser } from './browser.mjs';
import { tagsInPlace, volumesAndSnapshots } from './disks.mjs';
import { checkBarriers, goTo, heading, pictures, row } from './look.mjs';
import { cloneAndMigrate } from './moves.mjs';
import { groupsAndRules } from './rules.mjs';
import { taskLog } from './tasks.mjs';

const settings = JSON.parse(process.argv[2]);
const origin = new URL(settings.url).origin;
if (settings.screenshots) mkdirSync(settings.screenshots, { recursive: true });

const picture = pictures(settings.screenshots);

async function signIn(page, key, secret) {
  await page.goto(settings.url);
  await page.getByLabel('Access key', { exact: true }).fill(key);
  await page.getByLabel('Secret access key').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function launch(page, name) {
  await page.getByRole('link', { name: 'Launch', exact: true }).first().click();
  await heading(page, 'Launch an instance').waitFor();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Image').selectOption({ label: 'debian-12 – Debian 12, nothing in it' });
  await page.getByLabel('Key pair').selectOption('laptop');
  await page.getByLabel(/^web/).check();
  await page.getByLabel('User data').fill('#!/bin/sh\necho hello');
}

async function signingIn(page) {
  await signIn(page, settings.key, 'wrong');
  await page.getByRole('alert').filter({ hasText: 'not able to validate' }).waitFor();
  await checkBarriers(page, 'the sign-in page');
  await picture(page, 'sign-in');
  await page.getByLabel('Secret access key').fill(settings.secret);
  await page.keyboard.press('Enter');
  await heading(page, 'Overview').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('3 of 3 hosts ready').waitFor();
  check((await page.evaluate(() => JSON.stringify(localStorage))) === '{}', 'nothing is kept beyond the tab');
}

async function keyPairs(page) {
  await page.getByRole('link', { name: 'Key pairs' }).click();
  await page.getByRole('button', { name: 'Add a key pair' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('laptop');
  const download = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
  check((await download).suggestedFilename() === 'laptop.pem', 'the private half is downloaded');
  await row(page, 'laptop').waitFor();
  await checkBarriers(page, 'the page of key pairs');
}

async function launching(page) {
  await launch(page, 'web-1');
  await page.getByText('pileus run debian-12 --name web-1').waitFor();
  await checkBarriers(page, 'the launch form');
  await picture(page, 'launch');
  await page.getByRole('button', { name: 'Launch', exact: true }).click();
  await heading(page, 'web-1').waitFor();
  await page.locator('.subtitle').getByText('running').waitFor(); // live: nobody reloads
  await checkBarriers(page, 'an instance');
  await picture(page, 'instance');
}

async function tabsByKeyboard(page) {
  await page.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('heading', { name: 'Why it is here' }).waitFor();
  await eventually(() => page.url(), (url) => url.endsWith('/events'), 'the address says which tab is open');
  await page.locator('.events').getByText('running', { exact: true }).waitFor();
  await checkBarriers(page, 'the events');
  await picture(page, 'events');
  await page.keyboard.press('ArrowRight');
  await page.getByText('Serial console: waiting for its host').waitFor(); // which only pretends
  await checkBarriers(page, 'the console');
  // Out of the terminal without a mouse.
  await page.keyboard.press('Shift+Escape');
  const tab = page.getByRole('tab', { name: 'Console' });
  await eventually(() => tab.evaluate((each) => each === document.activeElement), Boolean, 'the keyboard leaves the terminal');
  await page.keyboard.press('ArrowRight');
  await page.getByText('Figures come every ten seconds').waitFor();
}

async function power(page) {
  const state = page.locator('.subtitle .state');
  const press = (name) => page.getByRole('button', { name }).click();
  await press('Stop');
  await state.getByText('stopped').waitFor();
  await press('Start');
  await state.getByText('running').waitFor();
  await press('Reboot');
  await page.getByText('web-1 is rebooting').waitFor();
  await press('Terminate…');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  check((await state.textContent()).includes('running'), 'Escape leaves the question');
  await eventually(() => page.evaluate(() => document.activeElement?.textContent), (text) => text === 'Terminate…', 'the focus comes back');
}

async function filtering(page) {
  for (const name of ['db-1', 'db-2']) {
    await launch(page, name);
    await page.getByRole('button', { name: 'Launch', exact: true }).click();
    await heading(page, name).waitFor();
  }
  await page.getByRole('link', { name: 'Instances' }).first().click();
  await heading(page, 'Instances').waitFor();
  await row(page, 'db-2').getByText('running').waitFor();
  await checkBarriers(page, 'the list of instances');
  await picture(page, 'instances');
  await page.getByLabel('Filter instances').fill('state:running db');
  await page.getByText(/^2 of \d instances/).waitFor();
  await eventually(() => page.url(), (url) => url.includes('filter=state%3Arunning+db'), 'the address has the filter');
  await page.reload(); // still signed in, still filtered
  await page.getByText(/^2 of \d instances/).waitFor();
  await page.getByLabel('Select all').check();
  await page.getByRole('button', { name: 'Terminate…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
  await page.getByText('No instance is like that.').waitFor();
}

async function hosts(page) {
  await page.getByRole('link', { name: 'Hosts' }).click();
  const first = page.getByRole('region', { name: 'simulated-1' });
  await first.getByRole('button', { name: 'Begin maintenance' }).click();
  await first.getByRole('button', { name: 'End maintenance' }).waitFor();
  await checkBarriers(page, 'the hosts');
  await picture(page, 'hosts');
  await first.getByRole('button', { name: 'End maintenance' }).click();
  await first.getByRole('button', { name: 'Begin maintenance' }).waitFor();
}

// The address alone leads to a page, and what the API says is shown.
async function strangeAddresses(page) {
  await page.goto(`${settings.url}#/instances/i-00000000000000001`);
  await page.getByText('does not exist').first().waitFor();
  await page.goto(`${settings.url}#/nothing/like/this`);
  await heading(page, 'Overview').waitFor();
}

async function checkLists(page, how) {
  for (const name of ['Volumes', 'Snapshots', 'Security groups', 'Tasks']) {
    await goTo(page, name);
    await eventually(() => page.locator('.loading').count(), (count) => count === 0, 'all is read');
    await checkBarriers(page, `${name}, ${how}`);
  }
}

async function anotherAccount(open) {
  const page = await open({ colorScheme: 'dark', viewport: { width: 390, height: 844 } });
  // As the link of `pileus web` does.
  await page.goto(`${settings.url}#/sign-in?key=${settings.aliceKey}&secret=${settings.aliceSecret}`);
  await heading(page, 'Overview').waitFor();
  check(!page.url().includes('secret'), 'the secret leaves the address at once');
  check((await page.getByRole('link', { name: 'Hosts' }).count()) === 0, 'hosts are for administrators');
  await page.getByRole('link', { name: 'Instances' }).first().click();
  await page.getByText(/^\d of \d instances/).waitFor();
  check((await row(page, 'web-1').count()) === 0, "other accounts' instances are not seen");
  await checkBarriers(page, 'a phone, dark');
  await picture(page, 'phone');
  await checkLists(page, 'on a phone, dark');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await heading(page, 'Sign in to Pileus').waitFor();
  check((await page.evaluate(() => JSON.stringify(sessionStorage))) === '{}', 'signed out, nothing is kept');
}

async function dark(open) {
  const page = await open({ colorScheme: 'dark' });
  await signIn(page, settings.key, settings.secret);
  await heading(page, 'Overview').waitFor();
  await page.getByRole('link', { name: 'web-1' }).waitFor();
  await checkBarriers(page, 'the overview, dark');
  await picture(page, 'overview-dark');
  await page.getByRole('link', { name: 'web-1' }).click();
  await heading(page, 'web-1').waitFor();
  await checkBarriers(page, 'an instance, dark');
  await checkLists(page, 'dark');
}

async function ending(page) {
  await page.goto(`${settings.url}#/instances`);
  await row(page, 'web-1').getByRole('link').click();
  await page.getByRole('button', { name: 'Terminate…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
  await page.locator('.subtitle').getByText('terminated').waitFor();
}

await withBrowser(origin, async (open) => {
  const page = await open();
  try {
    await step('sign in', () => signingIn(page));
    await step('key pair', () => keyPairs(page));
    await step('security group and its rules', () => groupsAndRules(page, picture));
    await step('launch, and watch it run', () => launching(page));
    await step('tags in place', () => tagsInPlace(page));
    await step('tabs by keyboard', () => tabsByKeyboard(page));
    await step('stop, start, reboot, a question left', () => power(page));
    await step('clone and migrate', () => cloneAndMigrate(page, picture));
    await step('volumes and snapshots', () => volumesAndSnapshots(page, picture));
    await step('tasks', () => taskLog(page, picture));
    await step('dark', () => dark(open));
    await step('filter, several at once', () => filtering(page));
    await step('hosts', () => hosts(page));
    await step('strange addresses', () => strangeAddresses(page));
    await step('another account, on a phone', () => anotherAccount(open));
    await step('terminate', () => ending(page));
  } catch (error) {
    await picture(page, 'failure');
    console.log(await page.locator('body').innerText().catch(() => ''));
    throw error;
  }
});
